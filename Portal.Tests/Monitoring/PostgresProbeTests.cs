using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.Domain.Monitoring;
using Portal.Infrastructure.Monitoring;
using Portal.Tests.Support;

namespace Portal.Tests.Monitoring;

/// <summary>Against the PostgreSQL of the tests.</summary>
public sealed class PostgresProbeTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    NpgsqlConnectionStringBuilder Own => new(database.ConnectionString);

    string Target(string? user = null) => $"postgres://{user ?? Own.Username}@{Own.Host}:{Own.Port}/{Own.Database}";

    async Task<(CheckOutcome, string?)> Look(string query = "select 1", string? expected = null, double seconds = 5, string? user = null, string? password = null) =>
        (await new PostgresProbe(new GuardedConnector(), TimeProvider.System).Look(ProbeRequests.For(MonitorKind.Postgres, Target(user), new() { Query = query, ExpectValue = expected }, seconds: seconds,
            secrets: (password ?? Own.Password) is { Length: > 0 } secret ? new Dictionary<string, string> { ["password"] = secret } : null), default)).Verdict();

    [Theory]
    [InlineData("select 1", null, null)]
    [InlineData("select count(*) from monitors where false;", "0", null)]
    [InlineData("select true", "true", null)]
    [InlineData("select 1.50::numeric", "1.50", null)]
    [InlineData("select 'käse'::text, 2", "käse", null)]
    [InlineData("with t as (select 3 as n) select n from t", "3", null)]
    [InlineData("show transaction_read_only", "on", null)]
    [InlineData("select null", "", null)]
    [InlineData("select 1", "2", "The query returned \"1\"; expected \"2\".")]
    [InlineData("select 1 where false", "1", "The query returned no row; expected \"1\".")]
    [InlineData("select array[1]", "1", "The query returned a value of the type Int32[], which cannot be compared. Cast it to text.")]
    [InlineData("select * from nothing_here", null, "The server refused: relation \"nothing_here\" does not exist")]
    [InlineData("select 1; select 2", null, "The query must be one statement.")]
    [InlineData("select repeat('x', 100000000)", "x", null)]
    public async Task The_first_value_decides(string query, string? expected, string? why)
    {
        var (outcome, detail) = await Look(query, expected == "" ? null : expected, seconds: 20);
        if (query.Contains("repeat", StringComparison.Ordinal)) Assert.StartsWith("The query returned \"xxx", detail, StringComparison.Ordinal);
        else Assert.Equal((why is null ? CheckOutcome.Up : CheckOutcome.Down, why), (outcome, detail));
    }

    [Fact]
    public async Task Nothing_is_ever_changed()
    {
        await using (var db = database.Open()) await db.Database.ExecuteSqlRawAsync("create table ledger (n int); create function spend() returns int language sql as 'insert into ledger values (1) returning n'");
        foreach (var query in new[] { "with gone as (insert into ledger values (1) returning n) select n from gone", "select spend()", "select 1; commit; insert into ledger values (1)", "select 1)); commit; insert into ledger values (2); --" })
            Assert.Equal(CheckOutcome.Down, (await Look(query)).Item1);
        Assert.Equal((CheckOutcome.Down, "The query would change something, which is not allowed."), await Look("select spend()"));
        await using var after = database.Open();
        Assert.Equal(0, await after.Database.SqlQueryRaw<int>("select count(*)::int as \"Value\" from ledger").SingleAsync());
        // The very same function works for whoever may write.
        await after.Database.ExecuteSqlRawAsync("select spend()");
        Assert.Equal(1, await after.Database.SqlQueryRaw<int>("select count(*)::int as \"Value\" from ledger").SingleAsync());
    }

    [Fact]
    public async Task A_query_that_does_not_end_is_ended_on_the_server_too()
    {
        var (outcome, why) = await Look("select pg_sleep(60)", seconds: 1);
        Assert.Equal(CheckOutcome.Down, outcome);
        Assert.Contains(why!, new[] { "The query did not end within the time-out.", "No answer within 1 s." });
        await using var db = database.Open();
        await Soon.Comes(async () => await db.Database.SqlQueryRaw<int>("select count(*)::int as \"Value\" from pg_stat_activity where application_name = 'portal-monitor' and datname = current_database() and state = 'active'").SingleAsync() == 0, "no query of a monitor");
    }

    [Fact]
    public async Task A_password_is_sent_and_never_said()
    {
        var role = $"probe_{Guid.CreateVersion7():N}";
        await Execute($"create role {role} login password 's3cret-word'");
        var (outcome, why) = await Look("select current_user::text", role, user: role, password: "s3cret-word");
        Assert.Equal((CheckOutcome.Up, null), (outcome, why));
        (outcome, why) = await Look("select 1", user: "nobody_of_this_name", password: "s3cret-word");
        Assert.Equal(CheckOutcome.Down, outcome);
        Assert.DoesNotContain("s3cret", why, StringComparison.Ordinal);
        await Execute($"drop role {role}");
    }

    async Task Execute(string sql)
    {
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    [Fact]
    public async Task A_server_that_asks_for_the_password_in_clear_does_not_get_it()
    {
        var heard = new List<byte>();
        await using var thief = new TcpThief(heard);
        var answer = await new PostgresProbe(new GuardedConnector(), TimeProvider.System).Look(
            ProbeRequests.For(MonitorKind.Postgres, $"postgres://monitor@127.0.0.1:{thief.Port}/shop", seconds: 3, secrets: new Dictionary<string, string> { ["password"] = "s3cret-word" }), default);
        Assert.Equal(CheckOutcome.Down, answer.Outcome);
        Assert.True(thief.Asked);
        lock (heard) Assert.DoesNotContain("s3cret", System.Text.Encoding.Latin1.GetString([.. heard]), StringComparison.Ordinal);
    }

    /// <summary>Speaks just enough of the protocol to ask for the password in clear.</summary>
    sealed class TcpThief : IAsyncDisposable
    {
        readonly System.Net.Sockets.TcpListener listener = new(System.Net.IPAddress.Loopback, 0);
        readonly CancellationTokenSource ended = new();

        public TcpThief(List<byte> heard)
        {
            listener.Start();
            _ = Serve(heard);
        }

        public int Port => ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
        public bool Asked { get; private set; }

        async Task Serve(List<byte> heard)
        {
            try
            {
                while (true)
                {
                    using var client = await listener.AcceptTcpClientAsync(ended.Token);
                    var (stream, buffer) = (client.GetStream(), new byte[4096]);
                    for (int read; (read = await stream.ReadAsync(buffer, ended.Token)) > 0;)
                    {
                        lock (heard) heard.AddRange(buffer[..read]);
                        // "SSL?" No. Then: give me your password.
                        if (read == 8) await stream.WriteAsync("N"u8.ToArray(), ended.Token);
                        else
                        {
                            Asked = true;
                            await stream.WriteAsync(new byte[] { (byte)'R', 0, 0, 0, 8, 0, 0, 0, 3 }, ended.Token);
                        }
                    }
                }
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or System.Net.Sockets.SocketException or ObjectDisposedException) { }
        }

        public async ValueTask DisposeAsync()
        {
            await ended.CancelAsync();
            listener.Stop();
            ended.Dispose();
        }
    }
}
