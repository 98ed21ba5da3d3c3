using Portal.Domain.Access;
using Portal.Domain.Shared;

namespace Portal.Features.Access;

/// <summary>For unattended installs, from <c>Bootstrap:*</c>; looked at only while no administrator exists.</summary>
public sealed class BootstrapOptions
{
    public const int ShortestApiKey = 16;
    public const int LongestApiKey = 200;

    public string AdminEmail { get; init; } = "";
    public string AdminPassword { get; init; } = "";
    public string ApiKey { get; init; } = "";

    /// <summary>What is wrong with it, a line for each, naming the key and never its value.</summary>
    public IEnumerable<string> Problems()
    {
        if (AdminEmail.Length > 0 != AdminPassword.Length > 0)
            yield return $"Bootstrap:{(AdminEmail.Length > 0 ? nameof(AdminPassword) : nameof(AdminEmail))} is missing: the first administrator needs an e-mail address and a password.";
        if (AdminEmail.Length > 0 && Refused(() => Person.ValidEmail(AdminEmail)))
            yield return "Bootstrap:AdminEmail must look like name@example.com.";
        if (AdminPassword.Length > 0 && Refused(() => Person.ValidPassword(AdminPassword)))
            yield return $"Bootstrap:AdminPassword needs {Person.ShortestPassword} to {Person.LongestPassword} characters.";
        if (ApiKey.Length > 0 && (ApiKey.Length is < ShortestApiKey or > LongestApiKey || ApiKey.Any(c => c is <= ' ' or > '~')))
            yield return $"Bootstrap:ApiKey needs {ShortestApiKey} to {LongestApiKey} printable ASCII characters without spaces.";
    }

    static bool Refused(Action rule)
    {
        try { rule(); return false; }
        catch (DomainException) { return true; }
    }
}
