using Npgsql;
using Portal.Domain.Backups;
using Portal.Domain.Shared;
using Portal.Infrastructure.Backups;
using Portal.Infrastructure.Postgres;
using Portal.Infrastructure.Security;

namespace Portal.Features.Backups;

/// <summary>The way to the portal's own database, with its password.</summary>
public delegate Task<string> OwnDatabase(CancellationToken ct);

/// <summary>The ways to what is backed up.</summary>
public sealed class TargetWays(OwnDatabase own, SecretBox box, DataFolder data)
{
    /// <summary>For passwords while the tools of PostgreSQL run; only we can enter it.</summary>
    public string Scratch => data.Private("scratch");

    /// <summary>With its password: never shown, never logged.</summary>
    public async Task<string> Connection(BackupTarget target, CancellationToken ct) => target.Kind switch
    {
        BackupTargetKind.Portal => await own(ct),
        BackupTargetKind.Database => box.Open(target.Connection!, target.Id.Value),
        _ => throw new DomainException($"{target.Name} is a directory, not a database.", "target"),
    };

    public async Task<IBackupSource> Source(BackupTarget target, CancellationToken ct) => target.IsDatabase
        ? new PostgresSource(await Connection(target, ct), await PostgresTools.Find(ct), Scratch)
        : new DirectorySource(target.Place);

    /// <summary>Reaches a database before it is relied on.</summary>
    /// <exception cref="DomainException">In words: it does not answer, or its server is newer than the tools here.</exception>
    public async Task Try(BackupTarget target, CancellationToken ct)
    {
        try
        {
            await using var snapshot = await DatabaseSnapshot.Take(PostgresSource.OneServer(await Connection(target, ct)).ConnectionString, ct);
            (await PostgresTools.Find(ct)).CheckFor(snapshot.Server);
        }
        catch (BackupFailedException e)
        {
            throw new DomainException(e.Message, "connection");
        }
        catch (Exception e) when (e is NpgsqlException or System.Net.Sockets.SocketException or TimeoutException)
        {
            throw new DomainException(PostgresSource.Failed(PostgresSource.OneServer(await Connection(target, ct)), e).Message, "connection");
        }
    }

    /// <summary>A connection string as it is kept, and where it leads, without user and password.</summary>
    /// <exception cref="DomainException">Names the field.</exception>
    public (string Place, Func<BackupTargetId, byte[]> Sealed) Way(string? connectionString)
    {
        var text = Text.Required(connectionString, "connection", "The connection", 2_000);
        try
        {
            var way = Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "postgres" or "postgresql" ? Of(uri!) : new NpgsqlConnectionStringBuilder(text);
            if (string.IsNullOrEmpty(way.Host) || string.IsNullOrEmpty(way.Username) || string.IsNullOrEmpty(way.Database))
                throw new DomainException("The connection must name host, user and database, like Host=db.example.com;Username=backup;Password=…;Database=shop.", "connection");
            return ($"{way.Host}:{way.Port}/{way.Database}", id => box.Seal(way.ConnectionString, id.Value));
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            // Its message may repeat the text, which holds the password.
            throw new DomainException("The connection is not one that can be read: write Host=…;Port=…;Username=…;Password=…;Database=…, or postgresql://user:password@host/database.", "connection");
        }
    }

    static NpgsqlConnectionStringBuilder Of(Uri uri)
    {
        var user = uri.UserInfo.Split(':', 2);
        var way = new NpgsqlConnectionStringBuilder { Host = uri.Host, Port = uri.Port > 0 ? uri.Port : 5432, Username = Uri.UnescapeDataString(user[0]), Database = Uri.UnescapeDataString(uri.AbsolutePath.TrimStart('/')) };
        if (user.Length > 1) way.Password = Uri.UnescapeDataString(user[1]);
        foreach (var pair in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = (pair.Split('=')[0], Uri.UnescapeDataString(pair.Contains('=') ? pair[(pair.IndexOf('=') + 1)..] : ""));
            if (name == "sslmode") way.SslMode = Enum.Parse<SslMode>(value.Replace("-", "", StringComparison.Ordinal), ignoreCase: true);
            else if (name == "sslrootcert") way.RootCertificate = value;
        }
        return way;
    }
}
