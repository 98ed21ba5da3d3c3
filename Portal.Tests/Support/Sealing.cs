using Portal.Domain.Monitoring;
using Portal.Infrastructure.Monitoring;
using Portal.Infrastructure.Security;

namespace Portal.Tests.Support;

/// <summary>Secrets under a key that only this run of the tests has.</summary>
static class Sealing
{
    public static SecretBox Box { get; } = Make();

    public static SealedSecrets Secrets { get; } = new(Box);

    static SecretBox Make()
    {
        var folder = Directory.CreateTempSubdirectory("portal-key-");
        var key = new MasterKey(Path.Combine(folder.FullName, "master.key"));
        key.Create();
        folder.Delete(recursive: true);
        return new SecretBox(key);
    }
}

/// <summary>One look at a target, as a monitor that is stored would take it.</summary>
static class ProbeRequests
{
    public static ProbeRequest For(MonitorKind kind, string target, MonitorOptions? options = null, bool allowPrivate = true, double seconds = 5, string expect = "200-399", IReadOnlyDictionary<string, string>? secrets = null)
    {
        var accepted = StatusRanges.Parse(expect);
        return new(default, new Uri(MonitorTarget.Valid(kind, target, builtIn: false)), false, allowPrivate, TimeSpan.FromSeconds(seconds), accepted, (options ?? MonitorOptions.None).For(kind, accepted))
        { Secrets = secrets ?? MonitorSecrets.None };
    }

    public static (CheckOutcome, string?) Verdict(this ProbeAnswer answer) => (answer.Outcome, answer.Detail);
}
