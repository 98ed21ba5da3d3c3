using Portal.Domain.Shared;

namespace Portal.Domain.Monitoring;

/// <summary>What a check must know and nobody may read: values of headers, or the password. Their names are shown, their values are stored sealed.</summary>
public static class MonitorSecrets
{
    /// <summary>The only name of kinds that sign in.</summary>
    public const string Password = "password";
    public const int Most = 20;
    public static readonly IReadOnlyDictionary<string, string> None = new Dictionary<string, string>();

    static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "Host", "Connection", "Content-Length", "Transfer-Encoding", "Upgrade", "Keep-Alive", "TE", "Trailer", "Expect", "Proxy-Authorization", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Extensions", "Sec-WebSocket-Accept",
    };

    public static bool AreHeaders(MonitorKind kind) => kind is MonitorKind.Http or MonitorKind.Websocket or MonitorKind.Grpc;

    public static bool IsPassword(MonitorKind kind) => kind is MonitorKind.Postgres or MonitorKind.Redis or MonitorKind.Smtp;

    /// <param name="given">All that there shall be: a null value keeps the one that is stored.</param>
    /// <param name="kept">What is stored.</param>
    /// <param name="moved">The target is another place than the one that the stored ones were given for.</param>
    /// <exception cref="DomainException">A name or value that cannot be sent, or nothing stored under a name.</exception>
    public static IReadOnlyDictionary<string, string> Merge(MonitorKind kind, IReadOnlyDictionary<string, string?> given, IReadOnlyDictionary<string, string> kept, bool moved)
    {
        if (given.Count > 0 && !AreHeaders(kind) && !IsPassword(kind)) throw Wrong($"Monitors of the kind {MonitorOptions.Word(kind)} send nothing secret.");
        if (given.Count > Most) throw Wrong($"At most {Most} headers are possible.");
        var all = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in given)
        {
            if (IsPassword(kind) ? name != Password : !IsHeaderName(name))
                throw Wrong(IsPassword(kind) ? $"Monitors of this kind know one secret: {Password}." : $"\"{Short(name)}\" cannot be the name of a header here.");
            if (value is null && moved && kept.ContainsKey(name)) throw Wrong($"The address leads to another place now. Enter {Called(kind, name)} again, so that nothing secret is sent to a wrong one.");
            var secret = value ?? kept.GetValueOrDefault(name) ?? throw Wrong($"Enter {Called(kind, name)}.");
            if (secret.Length is 0 or > 4_000) throw Wrong($"It must have 1 to 4,000 characters: {Called(kind, name)}.");
            if (secret.Any(c => IsPassword(kind) ? char.IsControl(c) : c is < ' ' or > '~' and < '\u00a0' or > 'ÿ')) throw Wrong($"It contains a character that cannot be sent: {Called(kind, name)}.");
            if (!all.TryAdd(name, secret)) throw Wrong($"\"{Short(name)}\" is there twice.");
        }
        return all;
    }

    static bool IsHeaderName(string name) =>
        name.Length is > 0 and <= 100 && name.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal)) && !Reserved.Contains(name);

    static string Called(MonitorKind kind, string name) => IsPassword(kind) ? "the password" : $"the value of the header {Short(name)}";

    static string Short(string name) => name.Length <= 60 ? name : name[..59] + "…";

    static DomainException Wrong(string text) => new(text, "secrets");
}
