using System.Globalization;
using Portal.Domain.Shared;

namespace Portal.Api;

/// <summary>One part of a list.</summary>
/// <param name="Next">What to send as <c>after</c> for the following part; null at the end.</param>
public sealed record CursorPage<T>(IReadOnlyList<T> Items, string? Next);

/// <summary>Where a caller is in a list: <c>?after=…&amp;limit=…</c>. Declare it as a parameter of the endpoint.</summary>
/// <param name="After">The <c>next</c> of the part before; null for the first part.</param>
/// <param name="Limit">1 to <see cref="Most"/>.</param>
public sealed record Cursor(string? After, int Limit)
{
    public const int Usual = 50, Most = 200;

    /// <summary>Load this many rows: the one beyond the limit only tells that there is more.</summary>
    public int Take => Limit + 1;

    public static ValueTask<Cursor?> BindAsync(HttpContext http)
    {
        var query = http.Request.Query;
        var limit = Usual;
        if (query.TryGetValue("limit", out var text) && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit is < 1 or > Most))
            throw new DomainException($"The limit must be a number from 1 to {Most}.", "limit");
        var after = query["after"].ToString();
        if (after.Length > 200) throw NotOurs();
        return ValueTask.FromResult<Cursor?>(new Cursor(after.Length > 0 ? after : null, limit));
    }

    /// <summary>For lists ordered by id; null for the first part.</summary>
    /// <exception cref="DomainException">The text is not one that a list gave.</exception>
    public T? AfterId<T>() where T : struct, IId<T> => After is null ? null : Id.TryParse<T>(After, out var id) ? id : throw NotOurs();

    /// <summary>For lists ordered by time; null for the first part. Pair with <see cref="Of(DateTimeOffset)"/>.</summary>
    /// <exception cref="DomainException">The text is not one that a list gave.</exception>
    public DateTimeOffset? AfterTime() => After is null ? null
        : long.TryParse(After, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var ticks) && ticks >= 0 && ticks <= DateTimeOffset.MaxValue.Ticks
            ? new DateTimeOffset(ticks, TimeSpan.Zero) : throw NotOurs();

    /// <summary>For lists with an order of their own; null for the first part.</summary>
    /// <param name="parse">Null for a text that is none of its places.</param>
    /// <exception cref="DomainException">The text is not one that a list gave.</exception>
    public T? AfterPlace<T>(Func<string, T?> parse) where T : struct => After is null ? null : parse(After) ?? throw NotOurs();

    public static string Of(DateTimeOffset at) => at.UtcTicks.ToString("x", CultureInfo.InvariantCulture);

    /// <param name="rows">Up to <see cref="Take"/> of them, in the order of the list.</param>
    /// <param name="key">The row's place in the list.</param>
    public CursorPage<TItem> Page<TRow, TItem>(IReadOnlyList<TRow> rows, Func<TRow, TItem> item, Func<TRow, string> key) =>
        new([.. rows.Take(Limit).Select(item)], rows.Count > Limit ? key(rows[Limit - 1]) : null);

    static DomainException NotOurs() => new("The value of after must be the next of an earlier answer, unchanged.", "after");
}
