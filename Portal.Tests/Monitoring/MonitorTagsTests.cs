using Microsoft.EntityFrameworkCore;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Features.Monitoring;
using Portal.Tests.Support;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Tests.Monitoring;

public sealed class MonitorTagsTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    readonly FakeClock clock = new();

    [Theory]
    [InlineData("Shop, env:prod  shop\nteam/web", "env:prod, shop, team/web")]
    [InlineData("größe v1.2 a_b-c", "a_b-c, größe, v1.2")]
    [InlineData(" , ", "")]
    [InlineData(null, "")]
    public void Tags_are_in_lower_case_sorted_and_none_is_there_twice(string? written, string read) => Assert.Equal(read, MonitorTags.Parse(written).ToString());

    [Theory]
    [InlineData(":prod")]
    [InlineData("-x")]
    [InlineData("a=b")]
    [InlineData("a\u0000b")]
    [InlineData("<b>")]
    [InlineData("\U0001F600")]
    public void What_is_no_tag_is_refused_and_says_what_one_is(string text) =>
        Assert.Contains("for example env:prod", Assert.Throws<DomainException>(() => MonitorTags.Of([text])).Message, StringComparison.Ordinal);

    [Fact]
    public void Length_and_number_are_bounded()
    {
        Assert.Single(MonitorTags.Of([new string('a', 50)]).All);
        Assert.Equal("tags", Assert.Throws<DomainException>(() => MonitorTags.Of([new string('a', 51)])).Field);
        var most = MonitorTags.Of(Enumerable.Range(0, 20).Select(i => $"t{i}"));
        Assert.Equal(20, most.All.Count);
        Assert.Contains("at most 20", Assert.Throws<DomainException>(() => most.With(MonitorTags.Of(["more"]))).Message, StringComparison.Ordinal);
        Assert.Equal(20, most.With(MonitorTags.Of(["t1"])).All.Count);
        Assert.Equal(19, most.Without(MonitorTags.Of(["t1", "never-there"])).All.Count);
    }

    [Theory]
    [InlineData("Production EU!", "production-eu")]
    [InlineData("  --DB / Main  ", "db-/-main")]
    [InlineData("\U0001F600 prod", "prod")]
    [InlineData("***", null)]
    public void The_nearest_tag_to_a_foreign_label_is_one(string text, string? tag)
    {
        Assert.Equal(tag, MonitorTags.Nearest(text));
        if (tag is not null) Assert.Equal([tag], MonitorTags.Of([tag]).All);
    }

    [Fact]
    public async Task The_list_finds_by_tag_and_kind_counts_the_tags_and_looks_them_up_in_an_index()
    {
        var (now, list) = (clock.GetUtcNow(), new MonitorList(database.Contexts, clock));
        await using var db = database.Open();
        for (var i = 0; i < 300; i++)
        {
            var kind = i % 2 == 0 ? MonitorKind.Tcp : MonitorKind.Tls;
            var settings = new MonitorSettings($"M{i}", kind, "shop.example.com:443", TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(10), null, Tags: MonitorTags.Of(i < 4 ? ["rare", "all"] : ["all"]));
            db.Add(new Monitor(settings, now.AddMilliseconds(i)));
        }
        await db.SaveChangesAsync();
        async Task<string> Names(MonitorList.Filter filter) => string.Join(' ', (await list.Load(filter, null, 10, Cast.Bob, default)).Select(v => v.Monitor.Name));
        Assert.Equal("M0 M1 M2 M3", await Names(new(Tag: "rare")));
        Assert.Equal("M1 M3", await Names(new(Tag: "rare", Kind: MonitorKind.Tls)));
        Assert.Equal("", await Names(new(Tag: "rar")));
        Assert.Equal([("all", 300), ("rare", 4)], await list.Tags(Cast.Bob, default));
        await Assert.ThrowsAsync<ForbiddenException>(() => list.Tags(Cast.Charlie, default));

        var rare = "rare";
        var sql = db.Monitors.Where(m => m.Tags.Contains(rare)).Select(m => m.Name).ToQueryString();
        Assert.Contains("@>", sql, StringComparison.Ordinal);
        await db.Database.ExecuteSqlRawAsync("analyze monitors");
        await using var transaction = await db.Database.BeginTransactionAsync();
        await db.Database.ExecuteSqlRawAsync("set local enable_seqscan = off");
        var plan = await db.Database.SqlQueryRaw<string>("explain select name from monitors where tags @> array['rare']").ToListAsync();
        Assert.Contains("ix_monitors_tags", string.Join('\n', plan), StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_with_the_same_tags_are_the_same_and_other_tags_make_no_other_check()
    {
        var monitor = new Monitor(new("Shop", MonitorKind.Tcp, "shop.example.com:443", TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(10), null, Tags: MonitorTags.Of(["shop"])), clock.GetUtcNow());
        var before = new Monitor(monitor.Settings, clock.GetUtcNow());
        Assert.Equal(monitor.Settings.Tags, before.Settings.Tags);
        Assert.Equal(monitor.Settings with { DependsOn = null }, before.Settings with { DependsOn = null });
        monitor.Change(monitor.Settings with { Tags = MonitorTags.Of(["other"]) }, clock.GetUtcNow());
        Assert.NotEqual(monitor.Settings.Tags, before.Settings.Tags);
        Assert.False(monitor.LooksOtherwiseThan(before));
    }
}
