using Bunit;
using Portal.Components.Ui;

namespace Portal.Tests.Monitoring;

public sealed class ResponseTimeChartTests : BunitContext
{
    static readonly DateTimeOffset From = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    IRenderedComponent<ResponseTimeChart> Chart(params double?[] values) => Render<ResponseTimeChart>(p => p
        .Add(c => c.Points, [.. values.Select((v, i) => (From.AddHours(i), v))])
        .Add(c => c.From, From).Add(c => c.To, From.AddHours(24)).Add(c => c.Zone, TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin")));

    [Fact]
    public void Time_without_data_is_a_hole_in_the_line_and_named_in_the_table()
    {
        var chart = Chart(100, 200, null, 400, null, 50, 60);
        var path = chart.Find("path").GetAttribute("d")!;
        Assert.Equal(3, path.Count(c => c == 'M'));
        Assert.Equal(2, path.Count(c => c == 'L'));
        Assert.Contains("h0", path, StringComparison.Ordinal);
        var rows = chart.FindAll("tbody tr");
        Assert.Equal(7, rows.Count);
        Assert.Contains("no data", rows[2].TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void Axes_have_round_values_with_their_unit_and_hours_of_the_zone()
    {
        var labels = Chart(100, 200, 390).FindAll("text").Select(t => t.TextContent).ToList();
        Assert.Contains("400 ms", labels);
        Assert.Contains("0", labels);
        // 09:00 UTC is 10:00 in Berlin: the first whole fourth hour is 12:00.
        Assert.Contains("12:00", labels);
        Assert.DoesNotContain("11:00", labels);
    }

    [Fact]
    public void It_needs_no_script_and_no_inline_style_and_says_in_words_what_it_shows()
    {
        var chart = Chart(100, 200, 390);
        Assert.DoesNotContain("style=", chart.Markup, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", chart.Markup, StringComparison.Ordinal);
        Assert.Equal("Response time: between 100 and 390 ms, latest 390 ms", chart.Find("svg").GetAttribute("aria-label"));
    }

    [Fact]
    public void Without_any_value_it_says_so()
    {
        Assert.Empty(Chart(null, null).FindAll("svg"));
        Assert.Contains("No response times yet.", Chart().Markup, StringComparison.Ordinal);
    }
}
