namespace Portal.Domain.Shared;

/// <summary>An identity of one kind of thing: a UUIDv7, written as 32 lower-case hex digits everywhere (addresses, APIs, feeds).</summary>
public interface IId<TSelf> where TSelf : struct, IId<TSelf>
{
    Guid Value { get; }
    static abstract TSelf From(Guid value);
}

/// <summary>Makes and reads identities.</summary>
public static class Id
{
    /// <summary>A new identity that sorts by the time it was made (millisecond precision).</summary>
    public static T New<T>(DateTimeOffset now) where T : struct, IId<T> => T.From(Guid.CreateVersion7(now));

    /// <summary>Reads exactly 32 hex digits; anything else is not an identity.</summary>
    public static bool TryParse<T>(string? text, out T id) where T : struct, IId<T>
    {
        var parsed = Guid.TryParseExact(text, "N", out var value);
        id = T.From(value);
        return parsed;
    }

    /// <exception cref="NotFoundException">The text is no identity, so nothing can be found under it.</exception>
    public static T Parse<T>(string? text, string noun) where T : struct, IId<T> =>
        TryParse<T>(text, out var id) ? id : throw new NotFoundException(noun);
}
