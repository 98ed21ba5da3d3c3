using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Components;

namespace Portal.Tests.HouseRules;

public class PageRules
{
    [Fact]
    public void Public_and_account_pages_hold_no_inline_script_or_style()
    {
        Rule.Accepts(Inline, Rule.Plant("Portal/Public/A.razor", """<script src="/assets/page.js"></script><button @onclick="X">x</button>"""));
        Rule.Holds(Inline, Repository.Product,
            Rule.Plant("Portal/Public/A.razor", "<script>alert(1)</script>"),
            Rule.Plant("Portal/Public/A.razor", "<style>p { }</style>"),
            Rule.Plant("Portal/Account/A.razor", """<p style="color:red">"""),
            Rule.Plant("Portal/Public/A.razor", """<button onclick="go()">"""),
            Rule.Plant("Portal/Account/A.razor", """<a href="javascript:go()">"""),
            Rule.Plant("Portal/Public/A.cs", "class A { string H = \"<p style='color:red'>\"; }"));
    }

    [Fact]
    public void Public_and_account_pages_are_static()
    {
        var pages = typeof(Program).Assembly.GetTypes();
        Rule.Accepts<Type[]>(Interactive, [Fixture.Load(Page("[Microsoft.AspNetCore.Components.ExcludeFromInteractiveRouting]")).GetType("Portal.Public.Pages.A")!]);
        Rule.Holds<Type[]>(Interactive, pages, [Fixture.Load(Page("")).GetType("Portal.Public.Pages.A")!]);
    }

    [Fact]
    public void Staff_and_admin_pages_ask_for_a_permission()
    {
        var pages = typeof(Program).Assembly.GetTypes();
        Rule.Accepts<Type[]>(Open, [Fixture.Load(StaffPage("[Microsoft.AspNetCore.Authorization.Authorize(Policy = \"ViewOps\")]")).GetType("Portal.Features.Things.A")!]);
        Rule.Holds<Type[]>(Open, pages,
            [Fixture.Load(StaffPage("")).GetType("Portal.Features.Things.A")!],
            [Fixture.Load(StaffPage("[Microsoft.AspNetCore.Authorization.Authorize]")).GetType("Portal.Features.Things.A")!]);
    }

    static string Page(string attribute) => $"namespace Portal.Public.Pages {{ {attribute} [Microsoft.AspNetCore.Components.Route(\"/x\")] public class A : Microsoft.AspNetCore.Components.ComponentBase {{ }} }}";

    static string StaffPage(string attribute) => $"namespace Portal.Features.Things {{ {attribute} [Microsoft.AspNetCore.Components.Route(\"/ops/x\")] public class A : Microsoft.AspNetCore.Components.ComponentBase {{ }} }}";

    static readonly Regex InlineMarkup = new("""<script(?![^>]*\ssrc=)|<style[\s>]|\sstyle=["'\\]|\son[a-z]+=["'\\]|javascript:""", RegexOptions.IgnoreCase);

    static IEnumerable<string> Inline(IReadOnlyList<Source> sources) =>
        from source in sources
        where source.Path.StartsWith("Portal/Public/", StringComparison.Ordinal) || source.Path.StartsWith("Portal/Account/", StringComparison.Ordinal)
        let found = InlineMarkup.Match(source.Text)
        where found.Success
        select $"{source.Path} holds {found.Value}: the strict policy of public pages would block it";

    static IEnumerable<string> Interactive(Type[] types) => Routed(types)
        .Where(t => t.Namespace!.StartsWith("Portal.Public", StringComparison.Ordinal) || t.Namespace.StartsWith("Portal.Account", StringComparison.Ordinal))
        .Where(t => t.GetCustomAttribute<ExcludeFromInteractiveRoutingAttribute>() is null)
        .Select(t => $"{t.FullName} would open a circuit");

    static IEnumerable<string> Open(Type[] types) => Routed(types)
        // What answers that there is no such page shows nothing.
        .Where(t => t.GetCustomAttributes<RouteAttribute>().Any(r => (r.Template.StartsWith("/ops", StringComparison.Ordinal) || r.Template.StartsWith("/admin", StringComparison.Ordinal)) && !r.Template.Contains("{*", StringComparison.Ordinal)))
        .Where(t => t.GetCustomAttributes<Microsoft.AspNetCore.Authorization.AuthorizeAttribute>(true).All(a => string.IsNullOrEmpty(a.Policy)))
        .Select(t => $"{t.FullName} is open to whoever is signed in: name a permission");

    static IEnumerable<Type> Routed(Type[] types) => types.Where(t => t.GetCustomAttributes<RouteAttribute>().Any());
}
