using System.Net;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Portal.Domain.Access;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Features.Access;
using Portal.Hosting;
using Portal.Infrastructure.Persistence;
using Portal.Live;
using Portal.Tests.Support;

namespace Portal.Tests.Access;

/// <summary>People with passwords, and the use cases of access with a cheap hash: what costs time on purpose is tested on its own.</summary>
sealed class Settlers(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock) : IDisposable
{
    public const string Password = "correct horse battery";
    public static readonly Visitor Here = new(IPAddress.Parse("192.0.2.10"), "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0");
    public static readonly Visitor Elsewhere = new(IPAddress.Parse("198.51.100.20"), null);

    static int count;

    public CountingHasher Hasher { get; } = new();
    public Passwords Passwords => field ??= new Passwords(Hasher, clock);
    public SignedInSessions Sessions => field ??= new SignedInSessions(contexts, clock, new ChangeFeed(clock, NullLogger<ChangeFeed>.Instance));
    public SignIn SignIn => new(contexts, clock, Passwords, new SignInBrake(contexts));
    public UseLink UseLink => new(contexts, clock, Passwords, Sessions);
    public IssueLink IssueLink => new(contexts, clock, Address, Sessions);
    public AddPerson AddPerson => new(contexts, clock, Address);
    public ChangePerson ChangePerson => new(contexts, clock, Sessions);
    public PeopleList People => new(contexts, clock);
    public static PortalAddress Address { get; } = new(Configured.With(("Public:BaseUrl", "https://status.example.com")), null!);

    public static string NewEmail(string name) => $"{name.ToLowerInvariant().Replace(' ', '.')}{Interlocked.Increment(ref count)}@example.com";

    public async Task<Person> Settle(string name, Role role, string? password = Password)
    {
        var person = new Person(name, NewEmail(name), role, clock.GetUtcNow());
        if (password is not null) person.SetPasswordHash(CheapHash(password));
        await using var db = await contexts.CreateDbContextAsync();
        db.Add(person);
        await db.SaveChangesAsync();
        return person;
    }

    public static string CheapHash(string password) => new CountingHasher().HashPassword(null!, password);

    public static Actor ActorOf(Person person) => person.ToActor(Here);

    public async Task<string> SignedIn(Person person, Visitor? from = null) =>
        Assert.IsType<SignIn.Started>(await SignIn.Execute(new(person.Email, Password), from ?? Here, default)).Secret;

    public static string TokenOf(string url) => url[(url.IndexOf("token=", StringComparison.Ordinal) + 6)..];

    public static async Task<List<AuditEntry>> AuditOf(PortalDbContext db, string subject) =>
        await db.Audit.AsNoTracking().Where(a => a.Subject == subject).OrderBy(a => a.Sequence).ToListAsync();

    public void Dispose()
    {
        Passwords.Dispose();
        Sessions.Dispose();
    }
}

/// <summary>Counts the comparisons that were really made.</summary>
sealed class CountingHasher(int iterations = 1_000) : PasswordHasher<Person>(Options.Create(new PasswordHasherOptions { IterationCount = iterations }))
{
    int compared;

    public int Compared => compared;
    /// <summary>Holds every comparison until it is released.</summary>
    public ManualResetEventSlim? Hold { get; set; }

    public override PasswordVerificationResult VerifyHashedPassword(Person user, string hashedPassword, string providedPassword)
    {
        Interlocked.Increment(ref compared);
        Hold?.Wait(TimeSpan.FromSeconds(30));
        return base.VerifyHashedPassword(user, hashedPassword, providedPassword);
    }
}
