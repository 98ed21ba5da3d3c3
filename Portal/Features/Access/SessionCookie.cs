using Portal.Domain.Access;

namespace Portal.Features.Access;

/// <summary>The cookie that carries a session's secret. Over https its name binds it to this host and to https.</summary>
public static class SessionCookie
{
    public const string PlainName = "Portal.Session";
    public const string SecureName = "__Host-" + PlainName;

    public static string NameFor(HttpRequest request) => request.IsHttps ? SecureName : PlainName;

    public static string? Read(HttpRequest request) =>
        request.Cookies[NameFor(request)] is { Length: > 0 and <= 100 } secret ? secret : null;

    public static void Write(HttpContext http, string secret) =>
        http.Response.Cookies.Append(NameFor(http.Request), secret, Options(http, Session.Lifetime));

    public static void Remove(HttpContext http) =>
        http.Response.Cookies.Delete(NameFor(http.Request), Options(http, null));

    static CookieOptions Options(HttpContext http, TimeSpan? age) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Lax,
        Secure = http.Request.IsHttps,
        Path = "/",
        MaxAge = age,
        IsEssential = true,
    };
}
