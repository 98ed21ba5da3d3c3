using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Portal.E2E.Support;
using static Microsoft.Playwright.Assertions;

namespace Portal.E2E.Journeys;

/// <summary>Somebody who waits for nothing: each screen is left while it loads.</summary>
[Collection(OnePortal.Name)]
public class HurriedJourney(SharedPortal shared)
{
    const int Rounds = 12;
    static readonly string[] Rail = ["Overview", "Incidents", "Monitors", "Components", "People", "API keys"];

    [Fact]
    public async Task Screens_that_are_left_while_they_load_stop_nothing_and_the_last_one_stands()
    {
        await using var staff = await shared.Staff();
        var page = staff.Page;
        await Watch(page);
        var errors = shared.Portal.ErrorLines().Count;
        // So far back that no step leaves the staff screens.
        await EachInTurn(page);
        var moves = 0;
        foreach (var round in Enumerable.Range(0, Rounds))
        {
            // Several moves in one turn of the browser: the server hears of the next while it draws the first.
            moves += await page.EvaluateAsync<int>("""
                names => {
                  const links = names.map(n => [...document.querySelectorAll('.rail a')].find(a => a.textContent.trim() === n)).filter(Boolean);
                  links.forEach(a => a.click());
                  return links.length;
                }
                """, round % 2 == 0 ? Rail : Rail.Reverse().ToArray());
            await page.Keyboard.PressAsync("d");
            await page.EvaluateAsync("() => { history.back(); history.back(); history.forward(); }");
            await page.EvaluateAsync("() => document.activeElement.blur()");
            await page.Keyboard.PressAsync("Control+k");
            await page.Keyboard.TypeAsync(Rail[round % Rail.Length][..4]);
            await page.Keyboard.PressAsync("Enter");
            moves += 5;
        }
        Assert.True(moves >= 60, $"only {moves} moves");
        await EachInTurn(page);
        Assert.Equal(0, await page.EvaluateAsync<int>("() => window.stopped"));
        Assert.True(await page.EvaluateAsync<bool>("() => window.neverReloaded === true"), "the page was loaded anew: nothing was proved");
        await Expect(page.Locator("#connection")).ToHaveTextAsync("Live");
        Assert.Empty(shared.Portal.ErrorLines().Skip(errors));
        Assert.Empty(staff.Complaints);
    }

    [Fact]
    public async Task From_one_incident_and_monitor_straight_to_another_the_other_one_is_shown()
    {
        await using var staff = await shared.Staff();
        var page = staff.Page;
        await Watch(page);
        var incidents = new List<string>();
        foreach (var title in (string[])["First of two", "Second of two"]) incidents.Add(await shared.Declare(title));
        var monitors = (await Api.Get(shared.Portal, "/api/v1/monitors?limit=2")).GetProperty("items").EnumerateArray().ToList();
        var places = incidents.Select((id, i) => ($"/ops/incidents/{id}", i == 0 ? "First of two" : "Second of two"))
            .Concat(monitors.Select(m => ($"/ops/monitors/{m.GetProperty("id").GetString()}", m.GetProperty("name").GetString()!))).ToList();
        foreach (var (path, heading) in places.Concat(places.AsEnumerable().Reverse().Skip(1)))
        {
            await Follow(page, path);
            await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1, Name = heading, Exact = true })).ToBeVisibleAsync();
        }
        await Follow(page, "/ops/monitors/new");
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("Not of any other");
        await Follow(page, places[2].Item1 + "/edit");
        await Expect(page.GetByLabel("Name", new() { Exact = true })).ToHaveValueAsync(places[2].Item2);
        await Follow(page, places[3].Item1 + "/edit");
        await Expect(page.GetByLabel("Name", new() { Exact = true })).ToHaveValueAsync(places[3].Item2);
        Assert.True(await page.EvaluateAsync<bool>("() => window.neverReloaded === true"), "the page was loaded anew: nothing was proved");
        foreach (var id in incidents) await shared.Resolve(id);
    }

    [Fact]
    public async Task Filters_changed_faster_than_they_are_answered_end_with_what_the_last_one_chose()
    {
        await using var staff = await shared.Staff();
        var page = staff.Page;
        foreach (var (list, ways, last) in ((string, string[], string)[])[("/ops/incidents", ["Resolved", "All", "Open"], "?show=past"), ("/ops/monitors", ["Up", "All", "Paused"], "?state=paused")])
        {
            await page.GotoAsync(list);
            await Expect(page.Locator(".tabs a")).Not.ToHaveCountAsync(0);
            await page.EvaluateAsync("""
                ([ways, last]) => {
                  const tabs = [...document.querySelectorAll('.tabs a')];
                  for (let round = 0; round < 5; round++) for (const way of ways) tabs.find(a => a.textContent.trim().startsWith(way)).click();
                  tabs.find(a => a.getAttribute('href').endsWith(last)).click();
                }
                """, new object[] { ways, last });
            await Expect(page).ToHaveURLAsync(new Regex(Regex.Escape(last) + "$"));
            await Expect(page.Locator(".tabs a[aria-current=page]")).ToHaveAttributeAsync("href", new Regex(Regex.Escape(last) + "$"));
            if (list == "/ops/monitors") await Expect(page.GetByText("No monitor matches.")).ToBeVisibleAsync();
            else
            {
                await Expect(page.GetByRole(AriaRole.Columnheader, new() { Name = "Lasted" })).ToBeVisibleAsync();
                await Expect(page.Locator("tbody tr")).Not.ToHaveCountAsync(0);
                await Expect(page.Locator($"a[href$='{shared.OpenIncident}']")).ToHaveCountAsync(0);
            }
        }
    }

    static async Task EachInTurn(IPage page)
    {
        foreach (var name in Rail)
        {
            await page.Locator(".rail").GetByRole(AriaRole.Link, new() { Name = name, Exact = true }).ClickAsync();
            await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1, Name = name, Exact = true })).ToBeVisibleAsync();
            await Expect(page.Locator(".skeleton")).ToHaveCountAsync(0);
        }
    }

    /// <summary>Counts every notice of a stopped part, however short it stands, and marks the page.</summary>
    static Task Watch(IPage page) => page.EvaluateAsync("""
        () => {
          window.neverReloaded = true;
          window.stopped = 0;
          new MutationObserver(() => { if (document.body.innerText.includes('This part has stopped') || document.querySelector('#blazor-error-ui')?.checkVisibility()) window.stopped++; })
            .observe(document.body, { childList: true, subtree: true });
        }
        """);

    /// <summary>A link as a message or the palette holds it: within the running screen, without loading the page.</summary>
    static Task Follow(IPage page, string path) => page.EvaluateAsync("path => Blazor.navigateTo(path)", path);
}
