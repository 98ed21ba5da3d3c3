namespace Portal.Public;

/// <summary>A set of addresses whose bytes follow from the model alone: the pages, the read API, feeds, badges.</summary>
/// <remarks>
/// Registered as a singleton (<c>services.AddSingleton&lt;IPublication, …&gt;()</c>). Rendering is deterministic: the same model and context give the same bytes on
/// every node. It takes no clock, only <see cref="RenderContext.AsOf"/>.
/// </remarks>
public interface IPublication
{
    /// <summary>Served before the others are rendered: what people look at in the minute when everything breaks.</summary>
    bool IsUrgent => false;

    IEnumerable<PublishedDocument> Render(StatusPageModel model, RenderContext context);
}

/// <param name="Path">As it is asked for, without query: <c>/api/v2/summary.json</c>.</param>
/// <param name="ContentType">With the character set.</param>
/// <param name="Headers">Beyond those that every published document has (length, type, ETag, caching, request id, nosniff); null for none.</param>
/// <param name="Status">What a client is answered; 304 is the publisher's own affair.</param>
public record PublishedDocument(string Path, string ContentType, byte[] Body, IReadOnlyDictionary<string, string>? Headers = null, int Status = 200);

/// <summary>What a rendering may use beside the model.</summary>
/// <param name="AsOf">The instant that the documents speak of: what is overdue, how old the model is, which day is today.</param>
/// <param name="Stale">The database has not answered for a minute or more: <see cref="StatusPageModel.ReadAt"/> says since when.</param>
public sealed record RenderContext(DateTimeOffset AsOf, PublicSettings Settings, bool Stale);

/// <summary>What the configuration says of the public face (<c>Public:*</c>).</summary>
/// <param name="BaseUrl">Where visitors find the page, without a slash at the end. Never from a Host header.</param>
/// <param name="Zone">The page's time zone: its days are the days of the strips.</param>
/// <param name="FrameAncestors">Who may show the page in a frame, in the words of CSP.</param>
public sealed record PublicSettings(string BaseUrl, string Title, TimeZoneInfo Zone, string FrameAncestors = "'none'");
