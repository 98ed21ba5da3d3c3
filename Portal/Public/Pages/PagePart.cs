using Microsoft.AspNetCore.Components;

namespace Portal.Public.Pages;

/// <summary>A piece of a public page: static, rendered to a string, nothing but parameters.</summary>
public abstract class PagePart : ComponentBase
{
    [Parameter, EditorRequired] public PageContext Page { get; set; } = null!;

    protected PublicText T => Page.T;
}
