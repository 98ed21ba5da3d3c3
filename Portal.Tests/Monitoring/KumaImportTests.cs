using System.Text;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Features.Monitoring;
using Portal.Features.Monitoring.Imports;
using Portal.Tests.Support;

namespace Portal.Tests.Monitoring;

public sealed class KumaImportTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    readonly ImportRig rig = new(database);

    /// <summary>As version 1.23 writes it, with what a test is about.</summary>
    static string Backup(params string[] monitors) => $$"""
        {"version":"1.23.11","notificationList":[{"id":1,"name":"Mail","active":true,"config":"{}"}],"proxyList":[],"monitorList":[{{string.Join(',', monitors)}}]}
        """;

    static string One(string name, string type, string more) => $$"""
        {"id":{{Math.Abs(name.GetHashCode(StringComparison.Ordinal))}},"name":"{{name}}","description":null,"parent":null,"childrenIDs":[],"url":"https://","method":"GET","hostname":null,"port":null,"maxretries":1,"weight":2000,"active":true,"forceInactive":false,"type":"{{type}}","timeout":48,"interval":60,"retryInterval":60,"resendInterval":0,"keyword":null,"invertKeyword":false,"expiryNotification":false,"ignoreTls":false,"upsideDown":false,"packetSize":56,"maxredirects":10,"accepted_statuscodes":["200-299"],"dns_resolve_type":"A","dns_resolve_server":"1.1.1.1","proxyId":null,"notificationIDList":{},"tags":[],"authMethod":null,"httpBodyEncoding":"json","headers":null,"body":null,"basic_auth_user":null,"basic_auth_pass":null,"pushToken":null,"databaseConnectionString":null,{{more}}}
        """;

    async Task<Domain.Monitoring.Monitor> Stored(string name)
    {
        await using var db = database.Open();
        return await db.Monitors.AsNoTracking().SingleAsync(m => m.Name == name);
    }

    [Fact]
    public async Task Each_type_that_there_is_a_kind_for_becomes_one_and_keeps_what_it_asks()
    {
        var backup = Backup(
            """{"id":7,"name":"Web Shop","type":"group","active":true,"parent":null}""",
            One("K page", "keyword", """ "url":"https://page.example/","keyword":"Welcome","invertKeyword":true,"parent":7,"maxredirects":0,"tags":[{"tag_id":1,"monitor_id":1,"value":"Prod EU","name":"Env","color":"#111"}],"headers":"{\"X-Token\":\"abc\",\"Host\":\"other\"}","authMethod":"basic","basic_auth_user":"bob","basic_auth_pass":"päss","expiryNotification":true"""),
            One("K json", "json-query", """ "url":"https://api.example/health","jsonPath":"data.state","expectedValue":"up","method":"POST","body":"{\"a\":1}","interval":5,"timeout":100,"maxretries":20"""),
            One("K port", "port", """ "hostname":"db.example","port":5432,"active":false"""),
            One("K ping", "ping", """ "hostname":"2606:2800:220:1::1" """),
            One("K dns", "dns", """ "hostname":"shop.example","port":5353,"dns_resolve_type":"MX","dns_resolve_server":"9.9.9.9,1.1.1.1" """),
            One("K job", "push", """ "interval":3600,"maxretries":2,"retryInterval":120,"pushToken":"old" """),
            One("K pg", "postgres", """ "databaseConnectionString":"postgres://watch:s%40crt@db.example:5433/shop?sslmode=require&x=1","databaseQuery":"select 2" """),
            One("K redis", "redis", """ "databaseConnectionString":"redis://:pw@cache.example/2" """),
            One("K grpc", "grpc-keyword", """ "grpcUrl":"orders.example:443","grpcServiceName":"Health","grpcMethod":"check","grpcEnableTls":true"""));
        var plan = await rig.Plan(backup, Cast.Bob);
        Assert.Equal((9, 1, 0), (plan.Count(ImportStep.Create), plan.Count(ImportStep.LeftOut), plan.Count(ImportStep.Wrong)));
        Assert.Contains("notification", Assert.Single(plan.Notes), StringComparison.Ordinal);
        Assert.DoesNotContain(plan.Monitors, m => $"{m}{string.Join(' ', m.Notes)}".Contains("s@crt", StringComparison.Ordinal));
        var done = await rig.Apply(backup, Cast.Bob);
        Assert.Equal((9, "K job"), (done.Created, Assert.Single(done.Heartbeats).Name));

        var page = await Stored("K page");
        Assert.Equal((MonitorKind.Http, "https://page.example/", "Welcome", false, 7, "env:prod-eu web-shop", 2, "200-299"),
            (page.Kind, page.Target, page.Options.RejectText, page.Options.FollowRedirects, page.Options.ExpectCertificateDays, string.Join(' ', page.Tags), page.FailuresBeforeDown, page.ExpectStatus));
        var sealedOnes = Sealing.Secrets.Open(page);
        Assert.Equal(("abc", "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("bob:päss"))), (sealedOnes["X-Token"], sealedOnes["Authorization"]));
        Assert.Contains(plan.Monitors[1].Notes, n => n.Contains("header Host", StringComparison.Ordinal));

        var json = await Stored("K json");
        Assert.Equal(("POST", "{\"a\":1}", "$.data.state", "up", 10d, 10d, 10), (json.Options.Method, json.Options.Body, json.Options.ExpectJsonPath, json.Options.ExpectJsonValue, json.Interval.TotalSeconds, json.Timeout.TotalSeconds, json.FailuresBeforeDown));
        Assert.Equal(["Content-Type"], json.SecretNames);
        Assert.Equal(3, plan.Monitors[2].Notes.Count(n => n.Contains("instead of", StringComparison.Ordinal)));

        Assert.Equal(("tcp://db.example:5432", true), ((await Stored("K port")).Target, (await Stored("K port")).PausedAt is not null));
        Assert.StartsWith("icmp://[2606:", (await Stored("K ping")).Target, StringComparison.Ordinal);
        Assert.Equal(("dns://shop.example", "MX", "9.9.9.9:5353"), ((await Stored("K dns")).Target, (await Stored("K dns")).Options.RecordType, (await Stored("K dns")).Options.Resolver));
        Assert.Equal((3600, 240, 1), ((await Stored("K job")).Options.PeriodSeconds, (await Stored("K job")).Options.GraceSeconds, (await Stored("K job")).FailuresBeforeDown));
        Assert.Equal(("postgres://watch@db.example:5433/shop?sslmode=require", "select 2", "s@crt"), ((await Stored("K pg")).Target, (await Stored("K pg")).Options.Query, Sealing.Secrets.Open(await Stored("K pg"))["password"]));
        Assert.Equal(("redis://cache.example:6379", "pw"), ((await Stored("K redis")).Target, Sealing.Secrets.Open(await Stored("K redis"))["password"]));
        Assert.Equal(("grpcs://orders.example:443", MonitorKind.Grpc), ((await Stored("K grpc")).Target, (await Stored("K grpc")).Kind));

        // The same file again doubles nothing, and says so.
        plan = await rig.Plan(backup, Cast.Bob);
        Assert.Equal((9, false, "Bob"), (plan.Count(ImportStep.Same), plan.CanBeDone, plan.Before!.By));
        await Assert.ThrowsAsync<DomainException>(() => rig.Apply(backup, Cast.Bob));
    }

    [Theory]
    [InlineData("mysql", "", "There is no kind for MySQL")]
    [InlineData("docker", "", "Containers")]
    [InlineData("teapot", "", "no kind for \\\"teapot\\\"")]
    [InlineData("port", "\"hostname\":\"x.example\"", "names no port")]
    [InlineData("port", "\"hostname\":[1],\"port\":1", "\\\"hostname\\\" is not a text")]
    [InlineData("http", "\"url\":\"https://x.example/\",\"interval\":\"often\"", "\\\"interval\\\" is not a number")]
    [InlineData("http", "\"url\":\"ftp://x.example/\"", "begins with http")]
    [InlineData("dns", "\"hostname\":\"x.example\",\"dns_resolve_type\":\"CAA\"", "CAA")]
    [InlineData("postgres", "\"databaseConnectionString\":\"host=db\"", "connection string")]
    public async Task What_cannot_come_over_is_left_out_and_says_why(string type, string more, string words)
    {
        var plan = await rig.Plan(Backup(One("Left", type, more.Length > 0 ? more : "\"x\":1")), Cast.Bob);
        Assert.Equal(ImportStep.LeftOut, plan.Monitors[0].Step);
        Assert.Contains(words.Replace("\\", "", StringComparison.Ordinal), plan.Monitors[0].Why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_otherwise_here_is_said_for_each()
    {
        var plan = await rig.Plan(Backup(
            One("Odd", "http", """ "url":"https://x.example/","upsideDown":true,"ignoreTls":1,"proxyId":3,"notificationIDList":{"1":true},"description":"About","resendInterval":3,"retryInterval":20,"body":"x","authMethod":"ntlm","tags":[{"name":"***"}]"""),
            One("Odd", "http", """ "url":"https://x.example/" """), """[]""", One(new string('n', 140), "ping", """ "hostname":"x.example" """)), Cast.Bob);
        string[] said = ["upside down", "certificate", "proxy", "notifications", "description", "again and again", "usual interval", "without its body", "NTLM", "\"***\""];
        Assert.All(said, words => Assert.Contains(plan.Monitors[0].Notes, n => n.Contains(words, StringComparison.Ordinal)));
        Assert.Contains("Paused.", plan.Monitors[0].Summary, StringComparison.Ordinal);
        Assert.Equal(["Odd", "Odd (2)"], plan.Monitors.Take(2).Select(m => m.Name));
        Assert.Equal(ImportStep.LeftOut, plan.Monitors[2].Step);
        Assert.Equal((100, true), (plan.Monitors[3].Name.Length, plan.Monitors[3].Notes.Any(n => n.Contains("shortened", StringComparison.Ordinal))));
    }

    public static TheoryData<string, string> Hostile => new()
    {
        { "{", "no JSON" },
        { "{\"version\":\"1.23.1\"}", "no \"monitorList\"" },
        { "[1,2]", "no \"monitorList\"" },
        { "{\"version\":\"2.0.0\",\"monitorList\":[]}", "version 2.0.0" },
        { "{\"version\":7,\"monitorList\":[]}", "does not say which version" },
        { "{\"version\":\"1.23.1\",\"monitorList\":7}", "is no list" },
        { "{\"version\":\"1.23.1\",\"monitorList\":" + new string('[', 100_000), "no JSON" },
        { "{\"version\":\"1.23.1\",\"monitorList\":[" + string.Join(',', Enumerable.Repeat("{}", 1_000_000)) + "]}", "more than 5,000 monitors" },
        { "{\"version\":\"1.23.1\",\"monitorList\":[{\"name\":\"\\ud800\",\"type\":\"ping\"}]}", "what is no text" },
        { "{" + new string(' ', 17 * 1024 * 1024), "more than 16 MB" },
    };

    [Theory]
    [MemberData(nameof(Hostile), DisableDiscoveryEnumeration = true)]
    public async Task A_hostile_file_is_refused_in_words(string text, string words) =>
        Assert.Contains(words, (await Assert.ThrowsAsync<DomainException>(() => rig.Plan(text, Cast.Bob))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task An_import_is_taken_back_except_what_somebody_edited_since_unless_that_is_chosen_too()
    {
        var component = new Component("Undone", null, null, null, 0, rig.Clock.GetUtcNow());
        await using (var db = database.Open())
        {
            db.Add(component);
            await db.SaveChangesAsync();
        }
        await rig.Apply("name,kind,target,component,secrets.X-Key\nU changed,http,https://before.example/,undone,first\nU other,tcp,other.example:1,,", Cast.Bob);
        var before = await Stored("U changed");
        rig.Clock.FastForward(TimeSpan.FromMinutes(1));
        var done = await rig.Apply("name,kind,target,intervalSeconds,component,paused,secrets.X-Key\nU changed,http,https://after.example/,30,,true,second\nU new,tcp,new.example:1,60,,,\nU edited,tcp,edited.example:1,60,,,", Cast.Bob);
        Assert.Equal((2, 1), (done.Created, done.Changed));
        Assert.Equal("second", Sealing.Secrets.Open(await Stored("U changed"))["X-Key"]);
        rig.Clock.FastForward(TimeSpan.FromMinutes(1));
        var edited = await Stored("U edited");
        await new ChangeMonitors(database.Contexts, rig.Clock).Execute(new([edited.Id], AddTags: MonitorTags.Of(["mine"])), Cast.Alice, default);

        var view = await rig.List.LoadOne(done.Import, Cast.Bob, default);
        Assert.Equal(["U changed", "U new"], view.Untouched.Order());
        Assert.Equal("U edited", Assert.Single(view.Edited).Name);
        await Assert.ThrowsAsync<ForbiddenException>(() => rig.Undo.Execute(new(done.Import), Cast.Charlie, default));
        var undone = await rig.Undo.Execute(new(done.Import), Cast.Bob, default);
        Assert.Equal((1, 1, "U edited"), (undone.Deleted, undone.Restored, Assert.Single(undone.Kept)));
        var restored = await Stored("U changed");
        Assert.Equal((before.Target, before.Interval, before.ComponentId, (DateTimeOffset?)null, "first"), (restored.Target, restored.Interval, restored.ComponentId, restored.PausedAt, Sealing.Secrets.Open(restored)["X-Key"]));

        Assert.Equal(1, (await rig.Undo.Execute(new(done.Import, [edited.Id]), Cast.Bob, default)).Deleted);
        Assert.Contains("Bob took this import back", (await Assert.ThrowsAsync<DomainException>(() => rig.Undo.Execute(new(done.Import), Cast.Bob, default))).Message, StringComparison.Ordinal);
        Assert.All(await rig.List.Load(Cast.Bob, default), i => Assert.Equal("monitors.csv", i.FileName));
        rig.Clock.FastForward(MonitorImport.UndoFor + TimeSpan.FromDays(1));
        await using var after = database.Open();
        var old = await after.MonitorImports.AsNoTracking().FirstAsync(i => i.UndoneAt == null);
        Assert.Contains("older than 90 days", (await Assert.ThrowsAsync<DomainException>(() => rig.Undo.Execute(new(old.Id), Cast.Bob, default))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_thousand_monitors_are_taken_in_and_back_in_one_piece()
    {
        var backup = Backup([.. Enumerable.Range(0, 1_000).Select(i => One($"Many {i:0000}", "port", $"\"hostname\":\"h{i}.example\",\"port\":{i + 1}"))]);
        var done = await rig.Apply(backup, Cast.Bob);
        await using var db = database.Open();
        Assert.Equal(1_000, await db.Monitors.CountAsync(m => m.Name.StartsWith("Many ")));
        Assert.Equal(["Many 0000", "Many 0001"], (await new MonitorList(database.Contexts, TimeProvider.System).Load(new(Search: "Many 000"), null, 2, Cast.Bob, default)).Select(v => v.Monitor.Name));
        Assert.Equal(1_000, (await rig.Undo.Execute(new(done.Import), Cast.Bob, default)).Deleted);
        Assert.Equal(0, await db.Monitors.CountAsync(m => m.Name.StartsWith("Many ")));
    }
}
