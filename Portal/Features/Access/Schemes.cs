namespace Portal.Features.Access;

/// <summary>The ways to be known: a signed-in browser, or a key in the Authorization header.</summary>
public static class Schemes
{
    public const string Session = "Session";
    public const string ApiKey = "ApiKey";
}
