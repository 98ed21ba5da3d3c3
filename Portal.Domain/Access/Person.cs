using Portal.Domain.Shared;

namespace Portal.Domain.Access;

public readonly record struct PersonId(Guid Value) : IId<PersonId>
{
    public static PersonId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

/// <summary>Somebody who can sign in. Never deleted, only deactivated: their name stays on what they did.</summary>
public sealed class Person
{
    public const int ShortestPassword = 12;
    public const int LongestPassword = 200;

    Person() { }

    public Person(string name, string email, Role role, DateTimeOffset now)
    {
        Id = Shared.Id.New<PersonId>(now);
        CreatedAt = now;
        Name = Text.Required(name, "name", "The name", Text.NameLength);
        Email = ValidEmail(email);
        Role = role;
    }

    public PersonId Id { get; private set; }
    public string Name { get; private set; } = "";
    /// <summary>Lower case; unique; what a person signs in with.</summary>
    public string Email { get; private set; } = "";
    public Role Role { get; private set; }
    /// <summary>Null until the person has chosen a password through the one-time link.</summary>
    public string? PasswordHash { get; private set; }
    public DateTimeOffset CreatedAt { get; private set; }
    public DateTimeOffset? DeactivatedAt { get; private set; }
    public DateTimeOffset? LastSignInAt { get; private set; }
    public uint Version { get; private set; }

    public bool IsActive => DeactivatedAt is null;

    /// <summary>Could sign in this minute and do what only an administrator may.</summary>
    public bool CanAdminister => IsActive && Role == Role.Admin && PasswordHash is not null;

    public void SetPasswordHash(string hash) => PasswordHash = hash;

    /// <summary>Nobody can sign in as this person until a one-time link has been used.</summary>
    public void ForgetPassword() => PasswordHash = null;

    public void SignedIn(DateTimeOffset now) => LastSignInAt = now;

    public void Assign(Role role) => Role = role;

    public void Rename(string name) => Name = Text.Required(name, "name", "The name", Text.NameLength);

    public void Deactivate(DateTimeOffset now) => DeactivatedAt ??= now;

    public void Reactivate() => DeactivatedAt = null;

    /// <summary>The portal must stay governable: somebody who can administer it remains.</summary>
    /// <param name="others">Everybody else who holds the role, as they stand now.</param>
    /// <exception cref="DomainException">After the change nobody could administer the portal.</exception>
    public void RequireSuccessor(IEnumerable<Person> others)
    {
        if (!CanAdminister && !others.Any(p => p.Id != Id && p.CanAdminister))
            throw new DomainException($"{Name} is the last administrator who can sign in. Make somebody else an administrator first, and let them choose a password.");
    }

    public static string ValidPassword(string? password, string field = "password") => password switch
    {
        null or "" => throw new DomainException("A password is required.", field),
        { Length: < ShortestPassword } => throw new DomainException($"The password needs at least {ShortestPassword} characters; several words make a good one.", field),
        { Length: > LongestPassword } => throw new DomainException($"The password may have at most {LongestPassword} characters.", field),
        _ => password,
    };

    public static string ValidEmail(string? email)
    {
        var text = Text.Required(email, "email", "The e-mail address", 254).ToLowerInvariant();
        var at = text.IndexOf('@');
        var valid = at > 0 && at == text.LastIndexOf('@') && at < text.Length - 1 && !text.Any(char.IsWhiteSpace);
        return valid ? text : throw new DomainException("The e-mail address must look like name@example.com.", "email");
    }
}

/// <summary>One browser that is signed in. The cookie carries a secret; only its SHA-256 is stored.</summary>
/// <remarks>It ends after <see cref="IdleLifetime"/> without use, after <see cref="Lifetime"/> in any case, or when it is revoked.</remarks>
public sealed class Session
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(7);
    public static readonly TimeSpan IdleLifetime = TimeSpan.FromHours(12);

    Session() { }

    public Session(PersonId person, byte[] secretHash, string? from, string? userAgent, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (PersonId, SecretHash, From, UserAgent) = (person, secretHash, from, userAgent is { Length: > 300 } ? userAgent[..300] : userAgent);
        (CreatedAt, LastSeenAt, ExpiresAt) = (now, now, now + Lifetime);
    }

    public Guid Id { get; private set; }
    public PersonId PersonId { get; private set; }
    public byte[] SecretHash { get; private set; } = [];
    public string? From { get; private set; }
    public string? UserAgent { get; private set; }
    public DateTimeOffset CreatedAt { get; private set; }
    public DateTimeOffset LastSeenAt { get; private set; }
    public DateTimeOffset ExpiresAt { get; private set; }
    public DateTimeOffset? RevokedAt { get; private set; }

    public bool IsLive(DateTimeOffset now) => RevokedAt is null && now < ExpiresAt && now - LastSeenAt < IdleLifetime;

    public void Revoke(DateTimeOffset now) => RevokedAt ??= now;
}

/// <summary>What a one-time link lets its holder do.</summary>
public enum LinkPurpose { FirstAdministrator, Invitation, PasswordReset }

/// <summary>A link that works once: at least 128 random bits, of which only the SHA-256 is stored.</summary>
public sealed class OneTimeLink
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);

    OneTimeLink() { }

    public OneTimeLink(LinkPurpose purpose, PersonId? person, byte[] secretHash, DateTimeOffset now) =>
        (Id, Purpose, PersonId, SecretHash, CreatedAt, ExpiresAt) = (Guid.CreateVersion7(now), purpose, person, secretHash, now, now + Lifetime);

    public Guid Id { get; private set; }
    public LinkPurpose Purpose { get; private set; }
    public PersonId? PersonId { get; private set; }
    public byte[] SecretHash { get; private set; } = [];
    public DateTimeOffset CreatedAt { get; private set; }
    public DateTimeOffset ExpiresAt { get; private set; }
    public DateTimeOffset? UsedAt { get; private set; }
    /// <summary>xmin: two people who open one link at once cannot both use it.</summary>
    public uint Version { get; private set; }

    public bool IsUsable(DateTimeOffset now) => UsedAt is null && now < ExpiresAt;

    /// <exception cref="DomainException">It was used or has expired.</exception>
    public void Use(DateTimeOffset now)
    {
        if (!IsUsable(now)) throw new DomainException("This link was used already or has expired. Ask an administrator for a new one.");
        UsedAt = now;
    }

    public void Withdraw(DateTimeOffset now) => UsedAt ??= now;
}

/// <summary>Failed sign-ins of one account from one network address: another address is never locked out by it.</summary>
public sealed class SignInThrottle
{
    /// <summary>So many failures are free; from then on each doubles the wait, up to <see cref="LongestWait"/>.</summary>
    public const int FreeFailures = 5;
    /// <summary>The same for one address over all accounts: a whole office may sit behind it.</summary>
    public const int FreeFailuresOfAddress = 50;
    public static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(15);
    /// <summary>After this time without a failure the count starts again.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromHours(1);

    SignInThrottle() { }

    public SignInThrottle(byte[] key) => Key = key;

    /// <summary>SHA-256 of account and address.</summary>
    public byte[] Key { get; private set; } = [];
    public int Failures { get; private set; }
    public DateTimeOffset LastFailureAt { get; private set; }
    public DateTimeOffset BlockedUntil { get; private set; }

    public bool IsBlocked(DateTimeOffset now) => now < BlockedUntil;

    /// <param name="free">How many failures do not yet make anybody wait.</param>
    public void Fail(DateTimeOffset now, int free = FreeFailures)
    {
        if (now - LastFailureAt > Memory) Failures = 0;
        Failures++;
        LastFailureAt = now;
        if (Failures >= free)
            BlockedUntil = now + TimeSpan.FromSeconds(Math.Min(LongestWait.TotalSeconds, 15 * Math.Pow(2, Math.Min(20, Failures - free))));
    }
}
