using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Domain.Access;
using Portal.Domain.Shared;
using Portal.Hosting;
using Portal.Infrastructure;
using Portal.Infrastructure.Persistence;
using Portal.Live;

namespace Portal.Features.Access;

/// <summary><c>portal admin reset EMAIL</c>: a way back in for whoever has the machine but not the password. It works beside a running portal too.</summary>
public sealed class AdminCommand(Toolbox tools, TextWriter output)
{
    static readonly Actor CommandLine = Actor.System with { Name = "Command line" };

    public async Task<int> Run(IReadOnlyList<string> words, CancellationToken ct)
    {
        if (words is not ["reset", var email]) throw new CannotStartException("Write: admin reset EMAIL. The person's password and sessions end, and a one-time link for a new password is printed.");
        await using var database = new Database();
        database.Open(Database.Connect(await tools.ConnectionBeside(ct)));
        using var sessions = new SignedInSessions(database, TimeProvider.System, new ChangeFeed(TimeProvider.System, NullLogger<ChangeFeed>.Instance));
        try
        {
            var link = await new IssueLink(database, TimeProvider.System, new PortalAddress(tools.Options, null), sessions).Execute(await Find(database, email, ct), CommandLine, ct);
            await output.WriteLineAsync($"Choose a new password at {link.Url}");
            await output.WriteLineAsync($"The link works once, until {link.ExpiresAt.UtcDateTime:yyyy-MM-dd HH:mm} UTC. The old password and all sessions of {email} have ended.");
            return 0;
        }
        catch (Exception e) when (e is DomainException or NotFoundException)
        {
            throw new CannotStartException(e.Message);
        }
    }

    static async Task<PersonId> Find(Database database, string email, CancellationToken ct)
    {
        await using var db = database.CreateDbContext();
        if ((await Migrator.State(db, ct)).Applied.Count == 0) throw new CannotStartException("The database is still empty: nobody has an account. Start the portal, it prints a link for the first administrator.");
        var wanted = Person.ValidEmail(email);
        return await db.People.Where(p => p.Email == wanted).Select(p => (PersonId?)p.Id).SingleOrDefaultAsync(ct)
            ?? throw new CannotStartException($"Nobody here has the e-mail address {wanted}.");
    }
}
