using AngleSharp.Dom;
using Bunit;
using Microsoft.AspNetCore.Components.Web;
using Portal.Domain.StatusPages;
using Portal.Features.StatusPages;
using Portal.Tests.Support;

namespace Portal.Tests.StatusPages;

public sealed class ComponentsPageTests : IAsyncLifetime
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    readonly TestDatabase database = new();
    readonly FakeClock clock = new();
    StaffScreen screen = null!;

    public async Task InitializeAsync()
    {
        await database.InitializeAsync();
        screen = AlicesScreen();
        var add = new AddComponent(database.Contexts, clock);
        foreach (var (name, group) in new[] { ("Status", null), ("Website", "Shop"), ("Payments", "Shop"), ("API", "Developers") })
            await add.Execute(new(name, Group: group), Cast.Alice, default);
    }

    public async Task DisposeAsync()
    {
        await screen.DisposeAsync();
        await database.DisposeAsync();
    }

    StaffScreen AlicesScreen() => new(database, clock, Cast.Alice);

    IRenderedComponent<ComponentsPage> Page()
    {
        var page = screen.Render<ComponentsPage>();
        page.WaitForElement(".tree", Patience);
        return page;
    }

    static string Order(IRenderedComponent<ComponentsPage> page) => string.Join(" | ", page.FindAll(".tree section").Select(s => string.Join(' ', s.QuerySelectorAll(".tree-row").Select(r => r.GetAttribute("aria-label")))));

    static IElement Row(IRenderedComponent<ComponentsPage> page, string name) => page.Find($".tree-row[aria-label={name}]");

    [Fact]
    public async Task The_keyboard_alone_moves_a_component_within_its_group_and_into_the_next()
    {
        var page = Page();
        Assert.Equal("Status | Website Payments | API", Order(page));
        Row(page, "Website").KeyDown(new KeyboardEventArgs { Key = "ArrowDown" });
        Assert.Equal("Status | Website Payments | API", Order(page));
        Row(page, "Website").KeyDown(new KeyboardEventArgs { Key = "ArrowDown", AltKey = true });
        page.WaitForAssertion(() => Assert.Equal("Status | Payments Website | API", Order(page)), Patience);
        page.WaitForAssertion(() => Assert.Equal("Website is now 2 of 2 in Shop.", page.Find("[role=status]").TextContent), Patience);
        Row(page, "Website").KeyDown(new KeyboardEventArgs { Key = "ArrowDown", AltKey = true });
        page.WaitForAssertion(() => Assert.Equal("Status | Payments | Website API", Order(page)), Patience);
        page.Find("button[aria-label='Move group Developers up']").Click();
        page.WaitForAssertion(() => Assert.Equal("Status | Website API | Payments", Order(page)), Patience);
        Assert.Equal("Status Website API Payments", string.Join(' ', (await new ComponentStatuses(database.Contexts, TimeProvider.System).Load(default)).Components.Select(c => c.Name)));
    }

    [Fact]
    public void A_drop_is_told_by_one_event_and_saved()
    {
        var page = Page();
        var (website, api) = (Row(page, "Website").GetAttribute("data-item"), Row(page, "API").GetAttribute("data-item"));
        page.Find("[data-arranged]").Change($"{website} {api} after");
        page.WaitForAssertion(() => Assert.Equal("Status | Payments | API Website", Order(page)), Patience);
        page.Find("[data-arranged]").Change($"{api} n: after");
        page.WaitForAssertion(() => Assert.Equal("Status API | Payments | Website", Order(page)), Patience);
        page.Find("[data-arranged]").Change("c:nonsense n: after");
        Assert.Equal("Status API | Payments | Website", Order(page));
    }

    [Fact]
    public async Task A_move_that_somebody_else_overtook_is_refused_and_shows_the_order_that_stands()
    {
        var page = Page();
        await new AddComponent(database.Contexts, clock).Execute(new("Mobile", Group: "Shop"), Cast.Alice, default);
        page.Find("button[aria-label='Move Website down']").Click();
        page.WaitForAssertion(() => Assert.Contains("Nothing was moved", page.Find(".notice.error").TextContent, StringComparison.Ordinal), Patience);
        page.WaitForAssertion(() => Assert.Equal("Status | Website Payments Mobile | API", Order(page)), Patience);
        page.Find("button[aria-label='Move Website down']").Click();
        page.WaitForAssertion(() => Assert.Equal("Status | Payments Website Mobile | API", Order(page)), Patience);
    }

    [Fact]
    public void Deleting_asks_for_the_name_and_says_what_is_lost()
    {
        var page = Page();
        page.Find("button[aria-label='Delete Payments']").Click();
        Assert.Contains("its history goes", page.WaitForElement("dialog", Patience).TextContent, StringComparison.Ordinal);
        Assert.True(page.Find("dialog button[type=submit]").HasAttribute("disabled"));
        page.Find("#confirm-typed").Input("payments");
        Assert.True(page.Find("dialog button[type=submit]").HasAttribute("disabled"));
        page.Find("#confirm-typed").Input("Payments");
        page.WaitForAssertion(() => Assert.False(page.Find("dialog button[type=submit]").HasAttribute("disabled")), Patience);
        page.Find("dialog form").Submit();
        screen.Hint("components");
        page.WaitForAssertion(() => Assert.Equal("Status | Website | API", Order(page)), Patience);
    }

    [Fact]
    public void A_component_is_added_and_its_status_set_by_hand_and_cleared()
    {
        var page = Page();
        page.Find(".page-head .button.primary").Click();
        page.WaitForElement("#component-name", Patience).Change("Search");
        page.Find(".component-form").Submit();
        page.WaitForAssertion(() => Assert.Equal("Status Search | Website Payments | API", Order(page)), Patience);
        page.Find("select[aria-label='Status of Search']").Change(nameof(ComponentStatus.MajorOutage));
        screen.Hint("components");
        page.WaitForAssertion(() => Assert.Contains("Major outage", Row(page, "Search").QuerySelector(".badge")!.TextContent, StringComparison.Ordinal), Patience);
        page.Find("select[aria-label='Status of Search']").Change("");
        screen.Hint("components");
        page.WaitForAssertion(() => Assert.Contains("Operational", Row(page, "Search").QuerySelector(".badge")!.TextContent, StringComparison.Ordinal), Patience);
    }
}
