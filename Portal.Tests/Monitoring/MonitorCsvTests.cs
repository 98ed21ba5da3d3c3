using System.Net;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Features.Monitoring;
using Portal.Features.Monitoring.Imports;
using Portal.Tests.Support;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Tests.Monitoring;

public sealed class MonitorCsvTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    readonly ImportRig rig = new(database);

    [Fact]
    public async Task A_table_is_looked_at_line_by_line_before_anything_is_written()
    {
        await rig.Apply("name,kind,target,intervalSeconds\nCsv kept,tcp,kept.example:443,60\nCsv changed,tcp,changed.example:443,60", Cast.Bob);
        var plan = await rig.Plan("name;kind;target;intervalSeconds;tags\nCsv new;http;https://shop.example/;30;shop\n\nCsv kept;tcp;kept.example:443;60;\nCsv changed;tcp;changed.example:443;20;\nCsv wrong;http;https://shop.example/;5;\nCsv new;tcp;x.example:1;;", Cast.Bob);
        Assert.Equal([(2, ImportStep.Create), (4, ImportStep.Same), (5, ImportStep.Change), (6, ImportStep.Wrong), (7, ImportStep.Wrong)], plan.Monitors.Select(m => (m.Line, m.Step)));
        Assert.Contains("intervalSeconds: 60 → 20", plan.Monitors[2].Differences);
        Assert.Equal(("intervalSeconds", "name"), (plan.Monitors[3].Field, plan.Monitors[4].Field));
        Assert.False(plan.CanBeDone);
        var refused = await Assert.ThrowsAsync<DomainException>(() => rig.Apply("name,kind,target\nCsv fine,tcp,fine.example:443\nCsv bad,fax,fine.example", Cast.Bob));
        Assert.Contains("Line 3, kind", refused.Message, StringComparison.Ordinal);
        await using var db = database.Open();
        Assert.Equal(["Csv changed", "Csv kept"], await db.Monitors.Where(m => m.Name.StartsWith("Csv ")).OrderBy(m => m.Name).Select(m => m.Name).ToListAsync());
    }

    [Fact]
    public async Task What_is_exported_is_read_again_as_nothing_to_do_whatever_stands_in_it()
    {
        await using (var db = database.Open())
        {
            var now = rig.Clock.GetUtcNow();
            var component = new Component("Round trip", null, null, null, 0, now);
            db.Add(component);
            db.AddRange(
                new Monitor(new("=cmd|' /C calc'!A0", MonitorKind.Http, "https://shop.example/a?b=c", TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(7), component.Id, 3, 5, 2, ComponentStatus.PartialOutage, "200,301-302", Critical: true, PublicChart: "Round; \"trip\"",
                    Options: new() { Method = "POST", Body = " -line one\r\nline \"two\"; ", ExpectText = "'=quoted", FollowRedirects = false, SlowerThanMilliseconds = 900 }, Tags: MonitorTags.Of(["env:prod", "shop"])), now),
                new Monitor(new("'already quoted", MonitorKind.Heartbeat, "", TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(10), null, 1, 1, Options: new() { Cron = "*/5 * * * *", Zone = "Europe/Berlin", GraceSeconds = 30 }), now),
                new Monitor(new("+49 Telephone", MonitorKind.Postgres, "postgres://me@db.example/shop", TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(10), null, Options: new() { Query = "select 1" }), now));
            await db.SaveChangesAsync();
        }
        var table = await new MonitorTable(database.Contexts, TimeProvider.System).Load(new(), Cast.Bob, default);
        Assert.Contains("'=cmd|", table, StringComparison.Ordinal);
        Assert.DoesNotMatch("(?m)(^|,)\"?[=+@-]", table.Replace("\" -line", "", StringComparison.Ordinal));
        foreach (var text in (string[])[table, "\uFEFF" + table])
        {
            var plan = await rig.Plan(text, Cast.Bob);
            Assert.All(plan.Monitors, m => Assert.True(m.Step == ImportStep.Same, $"{m.Name}: {m.Why} {string.Join(' ', m.Differences)}"));
            Assert.True(plan.Monitors.Count >= 3);
        }
        await Assert.ThrowsAsync<ForbiddenException>(() => new MonitorTable(database.Contexts, TimeProvider.System).Load(new(), Cast.Charlie, default));
    }

    [Fact]
    public async Task Secrets_are_sealed_kept_where_they_are_not_given_and_shown_nowhere()
    {
        const string table = "name,kind,target,secrets.Authorization\nSecret one,http,https://shop.example/,Bearer hush-hush\n";
        var plan = await rig.Plan(table, Cast.Bob);
        Assert.DoesNotContain("hush", string.Join(' ', plan.Monitors.Select(m => m.ToString() + string.Join(' ', m.Differences))), StringComparison.Ordinal);
        await rig.Apply(table, Cast.Bob);
        await using var db = database.Open();
        var monitor = await db.Monitors.AsNoTracking().SingleAsync(m => m.Name == "Secret one");
        Assert.Equal("Bearer hush-hush", Sealing.Secrets.Open(monitor)["Authorization"]);
        Assert.DoesNotContain("hush", string.Join(' ', await db.Audit.Select(a => a.Summary).ToListAsync()), StringComparison.Ordinal);
        Assert.DoesNotContain("hush", await new MonitorTable(database.Contexts, TimeProvider.System).Load(new(), Cast.Bob, default), StringComparison.Ordinal);
        Assert.Equal(ImportStep.Same, (await rig.Plan(table, Cast.Bob)).Monitors[0].Step);
        Assert.Equal(ImportStep.Same, (await rig.Plan(table.Replace("Bearer hush-hush", "", StringComparison.Ordinal), Cast.Bob)).Monitors[0].Step);
        Assert.Equal(ImportStep.Change, (await rig.Plan(table.Replace("hush-hush", "other", StringComparison.Ordinal), Cast.Bob)).Monitors[0].Step);
        Assert.Contains("Enter", (await rig.Plan("name,target\nSecret one,https://elsewhere.example/", Cast.Bob)).Monitors[0].Why, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("\n \n", "empty")]
    [InlineData("name,kind,target", "no line below")]
    [InlineData("kind,target\nhttp,https://x.example/", "no column \"name\"")]
    [InlineData("name,colour\nx,red", "no field \"colour\"")]
    [InlineData("name,NAME\nx,y", "there twice")]
    [InlineData("name,kind\nx,http,more", "Line 2 has 3 fields")]
    [InlineData("name,target\nx,a\"b", "quotation mark")]
    public async Task A_table_that_cannot_be_read_says_where(string text, string words) =>
        Assert.Contains(words, (await Assert.ThrowsAsync<DomainException>(() => rig.Plan(text, Cast.Bob))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Sizes_and_encodings_are_bounded()
    {
        Task<DomainException> Refused(byte[] content) => Assert.ThrowsAsync<DomainException>(() => rig.Preview.Load(new("x.csv", content), Cast.Bob, default));
        Assert.Contains("UTF-8", (await Refused([.. "name\n"u8, 0xE4, 0xF6])).Message, StringComparison.Ordinal);
        Assert.Contains("more than 5 MB", (await Refused(new byte[ImportSource.LongestCsv + 1])).Message, StringComparison.Ordinal);
        Assert.Contains("more than 5,000 monitors", (await Refused(Encoding.UTF8.GetBytes("name\n" + string.Concat(Enumerable.Range(0, 5_001).Select(i => $"m{i}\n"))))).Message, StringComparison.Ordinal);
        Assert.Contains("more than 20,000 characters", (await Refused(Encoding.UTF8.GetBytes("name\n\"" + new string('a', 30_000)))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ForbiddenException>(() => rig.Plan("name\nx", Cast.Charlie));
        await Assert.ThrowsAsync<ForbiddenException>(() => rig.Apply("name\nx", Cast.Charlie));
    }

    [Fact]
    public async Task Private_addresses_are_asked_for_once_and_only_an_administrator_may_allow_them()
    {
        const string table = "name,kind,target\nInner one,tcp,10.0.0.1:80\nInner two,tcp,inner.example:80\nOuter,tcp,shop.example:80\n";
        Assert.Equal([ImportStep.Wrong, ImportStep.Wrong, ImportStep.Create], (await rig.Plan(table, Cast.Bob)).Monitors.Select(m => m.Step));
        var plan = await rig.Plan(table, Cast.Alice);
        Assert.Equal(["Inner one", "Inner two"], plan.Private.Select(m => m.Name));
        Assert.Equal("allowPrivate", (await Assert.ThrowsAsync<DomainException>(() => rig.Apply(table, Cast.Alice))).Field);
        await rig.Apply(table, Cast.Alice, allowPrivate: true);
        await using var db = database.Open();
        Assert.Equal([true, true, false], await db.Monitors.Where(m => m.Name.StartsWith("Inner") || m.Name == "Outer").OrderBy(m => m.Name).Select(m => m.AllowPrivate).ToListAsync());
    }

    [Fact]
    public async Task What_a_table_allows_is_listed_with_what_leads_to_private_addresses_and_agreed_to_in_one()
    {
        await rig.Apply("name,kind,target\nAsked there,tcp,shop.example:80", Cast.Alice);
        const string table = "name,kind,target,allowPrivate\nAsked new,tcp,shop.example:81,true\nAsked there,tcp,shop.example:80,true\nFound new,tcp,inner.example:82,\nNot asked,tcp,shop.example:83,\n";
        var plan = await rig.Plan(table, Cast.Alice);
        Assert.Equal(["Asked new", "Asked there", "Found new"], plan.Private.Select(m => m.Name));
        Assert.Equal(["shop.example", "shop.example", "inner.example"], plan.Private.Select(m => m.PrivateHost));
        Assert.Equal("allowPrivate", (await Assert.ThrowsAsync<DomainException>(() => rig.Apply(table, Cast.Alice))).Field);
        await rig.Apply(table, Cast.Alice, allowPrivate: true, mark: plan.Mark);
        await using var db = database.Open();
        Assert.Equal(["Asked new", "Asked there", "Found new"], await db.Monitors.Where(m => m.AllowPrivate && (m.Name.StartsWith("Asked") || m.Name == "Found new" || m.Name == "Not asked")).OrderBy(m => m.Name).Select(m => m.Name).ToListAsync());
        Assert.Equal(4, (await rig.Plan(table, Cast.Alice)).Count(ImportStep.Same));
        Assert.Equal("allowPrivate", (await rig.Plan("name,kind,target,allowPrivate\nAsked by Bob,tcp,shop.example:81,true", Cast.Bob)).Monitors[0].Field);
    }

    [Fact]
    public async Task A_host_that_became_private_since_it_was_looked_at_is_not_agreed_to()
    {
        const string table = "name,kind,target\nMoves inside,tcp,moves.example:80\nWas inside,tcp,inner.example:80\n";
        var plan = await rig.Plan(table, Cast.Alice);
        Assert.Equal("Was inside", Assert.Single(plan.Private).Name);
        rig.Inside = "moves.example";
        await Assert.ThrowsAsync<ConflictException>(() => rig.Apply(table, Cast.Alice, allowPrivate: true, mark: plan.Mark));
        await using var db = database.Open();
        Assert.False(await db.Monitors.AnyAsync(m => m.Name == "Moves inside"));
        rig.Inside = null;
        await rig.Apply(table, Cast.Alice, allowPrivate: true, mark: plan.Mark);
        Assert.False((await db.Monitors.SingleAsync(m => m.Name == "Moves inside")).AllowPrivate);
    }

    [Theory]
    [InlineData("x;=HYPERLINK(\"https://evil.example\")")]
    [InlineData("x\t@SUM(1)")]
    [InlineData("first\n=1+1\r\n-2")]
    [InlineData("x;'=1;''=2")]
    [InlineData("plain; text, all 'fine'")]
    public async Task No_separator_of_any_spreadsheet_makes_a_formula_of_a_part_of_a_field(string text)
    {
        await using (var db = database.Open())
        {
            await db.Monitors.Where(m => m.Name == "Parts").ExecuteDeleteAsync();
            db.Add(new Monitor(new("Parts", MonitorKind.Http, "https://shop.example/", TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(7), null, Options: new() { ExpectText = text }), rig.Clock.GetUtcNow()));
            await db.SaveChangesAsync();
        }
        var table = await new MonitorTable(database.Contexts, rig.Clock).Load(new(), Cast.Bob, default);
        Assert.Contains("Parts", table, StringComparison.Ordinal);
        Assert.DoesNotMatch("(^|[;\t\n])\"?[=+@-]", table);
        if (text.Contains(';', StringComparison.Ordinal)) Assert.Contains("\"" + text[..2], table, StringComparison.Ordinal);
        Assert.Equal((ImportStep.Same, 0), ((await rig.Plan(table, Cast.Bob)).Monitors.Single(m => m.Name == "Parts") is var plan ? plan.Step : default, plan.Differences.Count));
    }

    [Fact]
    public async Task What_was_agreed_to_is_what_is_done_or_nothing()
    {
        const string table = "name,kind,target\nAgreed,tcp,agreed.example:443\n";
        var plan = await rig.Plan(table, Cast.Bob);
        await rig.Apply(table, Cast.Bob);
        await Assert.ThrowsAsync<ConflictException>(() => rig.Apply(table, Cast.Bob, mark: plan.Mark));
        Assert.Contains("took this file in already", (await Assert.ThrowsAsync<DomainException>(() => rig.Apply(table, Cast.Bob))).Message, StringComparison.Ordinal);
        Assert.Equal("Bob", (await rig.Plan(table, Cast.Bob)).Before!.By);
    }
}

/// <summary>Imports on a real database, with names that lead where the test says.</summary>
sealed class ImportRig(TestDatabase database)
{
    public FakeClock Clock { get; } = new();
    /// <summary>This name leads inside as well.</summary>
    public string? Inside { get; set; }

    ImportPlanning Planning => new(database.Contexts, new TargetConsent(new Infrastructure.Monitoring.GuardedConnector(
        (host, _) => Task.FromResult<IReadOnlyList<IPAddress>>([IPAddress.TryParse(host, out var literal) ? literal : IPAddress.Parse(host.StartsWith("inner", StringComparison.Ordinal) || host == Inside ? "10.1.2.3" : "93.184.216.34")]),
        Infrastructure.Monitoring.NameResolver.Open), Clock), Sealing.Secrets, Clock);

    public ImportPreview Preview => new(Planning);
    public UndoImport Undo => new(database.Contexts, Clock);
    public ImportList List => new(database.Contexts, Clock);

    public Task<ImportPlan> Plan(string text, Actor actor) => Preview.Load(new("file", Encoding.UTF8.GetBytes(text)), actor, default);

    public Task<ImportMonitors.Outcome> Apply(string text, Actor actor, bool allowPrivate = false, string? mark = null) =>
        new ImportMonitors(database.Contexts, Planning, Sealing.Secrets, Clock).Execute(new(new("C:\\files\\monitors.csv", Encoding.UTF8.GetBytes(text)), allowPrivate, mark), actor, default);
}
