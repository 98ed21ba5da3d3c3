using Bunit;
using Microsoft.AspNetCore.Components.Forms;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portal.Domain.Access;
using Portal.Features.Monitoring.Imports;

namespace Portal.Tests.Monitoring;

/// <summary>A file on its way in and out again.</summary>
public sealed partial class MonitorPagesTests
{
    static readonly TimeSpan Soonest = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_file_is_looked_at_then_taken_in_and_taken_back()
    {
        Services.AddTransient<ImportPlanning>().AddTransient<ImportPreview>().AddTransient<ImportMonitors>().AddTransient<UndoImport>().AddTransient<ImportList>();
        var page = Page<ImportPage>(Role.Staff);
        await page.InvokeAsync(() => page.Find("form").Submit());
        page.WaitForAssertion(() => Assert.Contains("Choose a file, or paste a table.", page.Find("#file-error").TextContent, StringComparison.Ordinal), Soonest);

        await page.InvokeAsync(() => page.Find("#pasted").Change("name;kind;target\nFrom page;http;https://shop.example/\nPushed;fax;somewhere"));
        await page.InvokeAsync(() => page.Find("form").Submit());
        page.WaitForAssertion(() => Assert.Contains("Nothing can be imported until every line is right.", page.Markup, StringComparison.Ordinal), Soonest);
        Assert.Contains("kind: There is no such kind", page.Find("tbody tr").TextContent, StringComparison.Ordinal);
        Assert.DoesNotContain(page.FindAll("button"), b => b.TextContent.StartsWith("Import", StringComparison.Ordinal));
        await page.InvokeAsync(() => page.FindAll("button").Single(b => b.TextContent == "Another file").Click());

        await page.InvokeAsync(() => page.FindComponent<InputFile>().UploadFiles(InputFileContent.CreateFromText("name;kind;target;periodSeconds\nFrom page;http;https://shop.example/;\nPushed;heartbeat;;3600", "team.csv")));
        await page.InvokeAsync(() => page.Find("form").Submit());
        page.WaitForAssertion(() => Assert.Contains("Import 2", page.FindAll("button").Select(b => b.TextContent)), Soonest);
        await page.InvokeAsync(() => page.FindAll("button").Single(b => b.TextContent == "Import 2").Click());
        page.WaitForAssertion(() => Assert.Contains("/api/v1/heartbeats/", page.Markup, StringComparison.Ordinal), Soonest);
        Assert.Contains("2 monitors made", page.Markup, StringComparison.Ordinal);
        feed.Publish("monitors");
        page.WaitForAssertion(() => Assert.Contains("team.csv", page.Markup, StringComparison.Ordinal), Soonest);
        await using (var db = database.Open()) Assert.Equal(2, await db.Monitors.CountAsync(m => m.Name == "From page" || m.Name == "Pushed"));

        await page.InvokeAsync(() => page.FindAll("button").Single(b => b.TextContent == "Undo…").Click());
        page.WaitForAssertion(() => Assert.Equal(["From page", "Pushed"], page.FindAll("dialog .names li").Select(l => l.TextContent).Order()), Soonest);
        await page.InvokeAsync(() => page.Find("dialog form").Submit());
        page.WaitForAssertion(() => Assert.Multiple(() => Assert.Contains("2 deleted, 0 put back", page.Markup, StringComparison.Ordinal), () => Assert.Contains("Taken back by Staff", page.Markup, StringComparison.Ordinal)), Soonest);
        await using var after = database.Open();
        Assert.False(await after.Monitors.AnyAsync(m => m.Name == "From page" || m.Name == "Pushed"));
    }
}
