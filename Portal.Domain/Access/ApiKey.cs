using Portal.Domain.Shared;

namespace Portal.Domain.Access;

public readonly record struct ApiKeyId(Guid Value) : IId<ApiKeyId>
{
    public static ApiKeyId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

/// <summary>A key for programs. Shown once; only its SHA-256 is stored.</summary>
public sealed class ApiKey
{
    ApiKey() { }

    /// <param name="start">The key's first characters, by which people recognise it.</param>
    public ApiKey(string name, IReadOnlyList<string> scopes, string start, byte[] secretHash, string createdBy, DateTimeOffset now)
    {
        Id = Shared.Id.New<ApiKeyId>(now);
        Name = Text.Required(name, "name", "The name", Text.NameLength);
        if (scopes.Count == 0) throw new DomainException("Choose at least one scope.", "scopes");
        if (scopes.Any(s => s is null || !Permissions.Scopes.Contains(s)))
            throw new DomainException($"There is no scope \"{scopes.First(s => s is null || !Permissions.Scopes.Contains(s)) ?? "null"}\". Scopes are: {string.Join(", ", Permissions.Scopes)}.", "scopes");
        Scopes = [.. scopes.Distinct()];
        (Start, SecretHash, CreatedBy, CreatedAt) = (start, secretHash, createdBy, now);
    }

    public ApiKeyId Id { get; private set; }
    public string Name { get; private set; } = "";
    public IReadOnlyList<string> Scopes { get; private set; } = [];
    public string Start { get; private set; } = "";
    public byte[] SecretHash { get; private set; } = [];
    public string CreatedBy { get; private set; } = "";
    public DateTimeOffset CreatedAt { get; private set; }
    public DateTimeOffset? LastUsedAt { get; private set; }
    public DateTimeOffset? RevokedAt { get; private set; }

    public void Revoke(DateTimeOffset now) => RevokedAt ??= now;
}
