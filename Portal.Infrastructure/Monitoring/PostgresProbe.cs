using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Npgsql;
using Portal.Domain.Monitoring;

namespace Portal.Infrastructure.Monitoring;

/// <summary>One query in a read-only transaction, and its first value.</summary>
/// <remarks>
/// The driver is given the address that was checked and no name. A password is sent to nobody in clear: without TLS only where the
/// server proves itself by SCRAM or takes a hash. What the process has of its own (a password file, variables) is not used.
/// </remarks>
public sealed class PostgresProbe(GuardedConnector connector, TimeProvider clock) : Probe(clock)
{
    const int LongestValue = 10_000;

    public override MonitorKind Kind => MonitorKind.Postgres;

    /// <summary>Who is trusted in place of the machine's own authorities; null trusts those.</summary>
    public X509Certificate2Collection? Roots { get; init; }

    protected override async Task<ProbeAnswer> Try(ProbeRequest request, Progress look, CancellationToken ct)
    {
        await using var opened = await connector.Reach(request.Target.IdnHost, request.Passage, Clock, (address, within) => Open(address.ToString(), request, look, within), ct);
        var connection = opened.Connection;
        await using (var begin = new NpgsqlBatch(connection))
        {
            begin.BatchCommands.Add(new("begin read only"));
            begin.BatchCommands.Add(new(string.Create(CultureInfo.InvariantCulture, $"set local statement_timeout = {request.Timeout.TotalMilliseconds:0}")));
            await begin.ExecuteNonQueryAsync(ct);
        }
        // As a prepared statement the server refuses a second one in it, which could end the read-only transaction.
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new(request.Options.Query ?? "select 1") } };
        await using var reader = await batch.ExecuteReaderAsync(System.Data.CommandBehavior.SequentialAccess, ct);
        if (request.Options.ExpectValue is not { } expected) return Up();
        if (!await reader.ReadAsync(ct)) return Down($"The query returned no row; expected \"{Shown(expected)}\".");
        var value = await Value(reader, ct);
        return value == expected ? Up() : Down($"The query returned \"{Shown(value)}\"; expected \"{Shown(expected)}\".");
    }

    async Task<Opened> Open(string address, ProbeRequest request, Progress look, CancellationToken ct)
    {
        look.Stage = Stage.Waiting;
        var mode = System.Web.HttpUtility.ParseQueryString(request.Target.Query)["sslmode"];
        var settings = new NpgsqlConnectionStringBuilder
        {
            Host = address,
            Port = request.Target.Port,
            Database = Uri.UnescapeDataString(request.Target.AbsolutePath.Trim('/')),
            Username = request.User,
            // Without one the driver would look for the process's own.
            Password = request.Password ?? "",
            Passfile = "/dev/null",
            Pooling = false,
            Enlist = false,
            Timeout = (int)Math.Ceiling(request.Timeout.TotalSeconds),
            CommandTimeout = (int)Math.Ceiling(request.Timeout.TotalSeconds),
            CancellationTimeout = -1,
            SslMode = mode switch { "disable" => SslMode.Disable, "require" or "verify-full" => SslMode.Require, _ => SslMode.Prefer },
            GssEncryptionMode = GssEncryptionMode.Disable,
            RequireAuth = mode == "verify-full" ? "Password,MD5,ScramSHA256,None" : "MD5,ScramSHA256,None",
            ApplicationName = "portal-monitor",
        };
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString).ConfigureTypeLoading(types => types.EnableTypeLoading(false));
        if (mode == "verify-full")
            builder.UseSslClientAuthenticationOptionsCallback(tls =>
            {
                var checking = Certificates.Options(request.Target.IdnHost, Clock, (_, refusal) => (look.Certificate = refusal) is null);
                Certificates.Trust(checking, Roots);
                (tls.TargetHost, tls.CertificateChainPolicy, tls.RemoteCertificateValidationCallback) = (request.Target.IdnHost, checking.CertificateChainPolicy, checking.RemoteCertificateValidationCallback);
            });
        var source = builder.Build();
        var opened = new Opened(source, source.CreateConnection());
        try
        {
            await opened.Connection.OpenAsync(ct);
            return opened;
        }
        catch
        {
            await opened.DisposeAsync();
            throw;
        }
    }

    /// <summary>One connection, with the driver's settings that are for it alone.</summary>
    sealed record Opened(NpgsqlDataSource Source, NpgsqlConnection Connection) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Connection.DisposeAsync();
            await Source.DisposeAsync();
        }
    }

    static async Task<string> Value(NpgsqlDataReader reader, CancellationToken ct)
    {
        if (reader.FieldCount == 0) return "";
        if (await reader.IsDBNullAsync(0, ct)) return "";
        if (reader.GetFieldType(0) == typeof(string))
        {
            using var text = reader.GetTextReader(0);
            var buffer = new char[LongestValue];
            return new string(buffer, 0, await text.ReadBlockAsync(buffer, ct));
        }
        return reader.GetValue(0) switch
        {
            bool yes => yes ? "true" : "false",
            DateTime at => at.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
            IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
            var other => throw new ProbeWordsException($"The query returned a value of the type {other.GetType().Name}, which cannot be compared. Cast it to text."),
        };
    }

    protected override string? Words(Exception e, Progress look)
    {
        for (var inner = e; inner is not null; inner = inner.InnerException)
            switch (inner)
            {
                case ProbeWordsException words: return words.Message;
                case PostgresException { SqlState: PostgresErrorCodes.QueryCanceled }: return "The query did not end within the time-out.";
                case PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction }: return "The query would change something, which is not allowed.";
                case PostgresException { SqlState: PostgresErrorCodes.SyntaxError, MessageText: "cannot insert multiple commands into a prepared statement" }: return "The query must be one statement.";
                case PostgresException refusal: return $"The server refused: {Shown(refusal.MessageText)}";
                case SocketException: return base.Words(e, look);
            }
        return e switch
        {
            NpgsqlException { InnerException: TimeoutException } => "No answer within the time-out.",
            NpgsqlException { InnerException: EndOfStreamException or IOException } => "The connection ended before the answer was complete.",
            _ => base.Words(e, look),
        };
    }
}

/// <summary>A verdict in words, from deep inside.</summary>
sealed class ProbeWordsException(string message) : Exception(message);
