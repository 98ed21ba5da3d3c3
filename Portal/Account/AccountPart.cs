using Microsoft.AspNetCore.Components;

namespace Portal.Account;

/// <summary>A piece of an account page: static, in the visitor's language.</summary>
public abstract class AccountPart : ComponentBase
{
    [CascadingParameter] HttpContext? Http { get; set; }

    protected AccountText T => AccountText.For(Http);
}
