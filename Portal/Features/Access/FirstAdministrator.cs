using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Hosting;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Access;

/// <summary>While nobody administers the portal: makes the first administrator from the configuration, or prints a one-time link.</summary>
public sealed class FirstAdministrator(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock, Passwords passwords, PortalAddress address,
    BootstrapOptions? bootstrap, ILogger<FirstAdministrator> log) : IStartupStep
{
    static readonly Visitor Ourselves = new(null, null);
    /// <summary>Nodes that start at once each print a link, and each link works; the first that is used ends the others.</summary>
    public static readonly TimeSpan AtOnce = TimeSpan.FromMinutes(2);

    public int Order => 200;

    /// <summary>Where the link is printed.</summary>
    public TextWriter Output { get; init; } = Console.Out;

    public async Task Run(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        await using var transaction = await db.LockAdministrators(ct);
        if (await db.People.AnyAsync(p => p.Role == Role.Admin, ct))
        {
            if (bootstrap is not null) log.LogInformation("Bootstrap:* is ignored: an administrator exists");
            return;
        }
        await WithdrawOlderLinks(db, now, ct);
        if (bootstrap?.ApiKey is { } key) await AddKey(db, key, now, ct);
        if (bootstrap is not null) await AddAdministrator(db, bootstrap, now, ct);
        var printed = bootstrap is null ? await AddLink(db, now, ct) : null;
        await transaction.CommitAsync(ct);
        if (printed is null) log.LogInformation("The first administrator was made from Bootstrap:AdminEmail");
        else await Output.WriteLineAsync($"Create the first administrator at {printed}".AsMemory(), ct);
    }

    static async Task WithdrawOlderLinks(PortalDbContext db, DateTimeOffset now, CancellationToken ct)
    {
        foreach (var link in await db.OneTimeLinks.Where(l => l.PersonId == null && l.UsedAt == null && l.CreatedAt < now - AtOnce).ToListAsync(ct)) link.Withdraw(now);
    }

    async Task AddAdministrator(PortalDbContext db, BootstrapOptions given, DateTimeOffset now, CancellationToken ct)
    {
        var email = Person.ValidEmail(given.AdminEmail);
        var person = await db.People.SingleOrDefaultAsync(p => p.Email == email, ct);
        if (person is null) db.Add(person = new Person("Administrator", email, Role.Admin, now));
        person.Assign(Role.Admin);
        person.Reactivate();
        person.SetPasswordHash(await passwords.Hash(given.AdminPassword, Ourselves, ct));
        await db.Commit(new AuditEntry(Actor.System, "person.first-administrator", person.Id.ToString(), $"{email} became the first administrator, from the configuration", now), ct);
    }

    static async Task AddKey(PortalDbContext db, string secret, DateTimeOffset now, CancellationToken ct)
    {
        var hash = Secret.HashOf(secret);
        if (await db.ApiKeys.AnyAsync(k => k.SecretHash == hash, ct)) return;
        var key = new ApiKey("Bootstrap", [.. Permissions.Scopes], Secret.StartOf(secret), hash, Actor.System.Name, now);
        db.Add(key);
        await db.Commit(new AuditEntry(Actor.System, "api-key.created", key.Id.ToString(), "A key with all scopes, from the configuration", now), ct);
    }

    async Task<string> AddLink(PortalDbContext db, DateTimeOffset now, CancellationToken ct)
    {
        var (secret, link) = IssueLink.New(LinkPurpose.FirstAdministrator, null, now);
        db.Add(link);
        await db.Commit(new AuditEntry(Actor.System, "person.set-up-offered", link.Id.ToString("N"), "A one-time link for the first administrator was printed at the start", now), ct);
        return IssueLink.UrlOf(address, secret);
    }
}
