using Bunit;
using Microsoft.AspNetCore.Components;
using Portal.Components.Ui;

namespace Portal.Tests.Screens;

public sealed class FieldTests : BunitContext
{
    static RenderFragment<IReadOnlyDictionary<string, object>> Control(params string[] elements) => attributes => b =>
    {
        foreach (var element in elements)
        {
            b.OpenElement(0, element);
            b.AddMultipleAttributes(1, attributes);
            b.CloseElement();
        }
    };

    IRenderedComponent<Field> Drawn(string? hint, string? error, bool group = false, params string[] elements) => Render<Field>(p => p
        .Add(f => f.For, "title").Add(f => f.Label, "Title").Add(f => f.Hint, hint).Add(f => f.Error, error).Add(f => f.IsGroup, group).Add(f => f.ChildContent, Control(elements)));

    [Theory]
    [InlineData(null, null, null)]
    [InlineData("In a few words.", null, "title-hint")]
    [InlineData(null, "It is too long.", "title-error")]
    [InlineData("In a few words.", "It is too long.", "title-hint title-error")]
    public void The_control_is_named_by_the_label_described_by_hint_and_refusal_and_wrong_only_when_refused(string? hint, string? error, string? described)
    {
        var field = Drawn(hint, error, elements: "input");
        var input = field.Find("input");
        Assert.Equal(("title", described, error is null ? null : "true"), (field.Find("label").GetAttribute("for"), input.GetAttribute("aria-describedby"), input.GetAttribute("aria-invalid")));
        Assert.Equal("title", input.Id);
        foreach (var id in described?.Split(' ') ?? []) Assert.Contains(field.Find($"#{id}").TextContent, new[] { hint, error });
    }

    [Fact]
    public void In_a_group_the_words_describe_the_group_and_each_choice_is_wrong_without_a_second_id()
    {
        var field = Drawn(null, "Choose at least one.", group: true, "input", "input");
        Assert.Equal(("title", "title-error"), (field.Find("fieldset").Id, field.Find("fieldset").GetAttribute("aria-describedby")));
        Assert.All(field.FindAll("input"), i => Assert.Equal(("true", false), (i.GetAttribute("aria-invalid"), i.HasAttribute("id"))));
    }

    [Fact]
    public void A_hidden_label_is_still_heard()
    {
        var field = Render<Field>(p => p.Add(f => f.For, "note").Add(f => f.Label, "Note for the team").Add(f => f.HidesLabel, true).Add(f => f.ChildContent, Control("textarea")));
        Assert.Equal(("Note for the team", "visually-hidden"), (field.Find("label[for=note]").TextContent, field.Find("label").ClassName));
    }
}
