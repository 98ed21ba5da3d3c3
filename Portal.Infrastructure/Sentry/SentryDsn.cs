using System.Diagnostics.CodeAnalysis;

namespace Portal.Infrastructure.Sentry;

/// <summary>Where error reports go: <c>https://key@host/project</c>. The key only lets in; it reads nothing.</summary>
/// <param name="Key">Public key of the project.</param>
/// <param name="Envelopes">The address that takes envelopes.</param>
public sealed record SentryDsn(string Key, Uri Envelopes)
{
    public static bool TryRead(string text, [NotNullWhen(true)] out SentryDsn? dsn)
    {
        dsn = null;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.Host.Length == 0 || uri.Query.Length > 0 || uri.Fragment.Length > 0) return false;
        // An old form has a secret behind a colon, which servers no longer want.
        var key = uri.UserInfo.Split(':')[0];
        var path = uri.AbsolutePath.TrimEnd('/');
        var project = path[(path.LastIndexOf('/') + 1)..];
        if (key.Length == 0 || !key.All(char.IsAsciiLetterOrDigit) || project.Length == 0 || !project.All(char.IsAsciiLetterOrDigit)) return false;
        dsn = new SentryDsn(key, new Uri($"{uri.Scheme}://{uri.Authority}{path[..path.LastIndexOf('/')]}/api/{project}/envelope/"));
        return true;
    }

    // Not in a log by accident.
    public override string ToString() => Envelopes.Host;
}
