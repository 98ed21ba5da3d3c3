using System.Collections.Concurrent;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Infrastructure.Monitoring;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Features.Monitoring;

/// <summary>Who may point a monitor at a private address: whoever has the permission and says so, nobody else can.</summary>
public sealed class TargetConsent(GuardedConnector connector, TimeProvider clock)
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <param name="draft">What would be stored.</param>
    /// <param name="places">From where it would be looked at.</param>
    /// <param name="fromHere">The portal itself would look as well: it is a place like any other.</param>
    /// <param name="asked">What the request says; null keeps a consent that stands and gives none.</param>
    /// <param name="before">The monitor that is edited: its consent stands while its target does and no place is added, from which the same address is another machine.</param>
    /// <returns>Whether the monitor may reach private addresses at its target's own host.</returns>
    /// <exception cref="DomainException">The target is private and the actor may not, or does not want to, allow that.</exception>
    public async Task<bool> Decide(Monitor draft, IReadOnlyList<ProbePlaceId> places, bool fromHere, bool? asked, Actor actor, Monitor? before, CancellationToken ct)
    {
        var host = MonitorTarget.HostOf(draft.Kind, draft.Target, draft.Options);
        var may = actor.May(Permission.ProbePrivateAddresses);
        if (before is { AllowPrivate: true } && before.Target == draft.Target && before.Options.Resolver == draft.Options.Resolver && asked != false)
        {
            if (places.All(before.Places.Contains) && (before.FromHere || !fromHere) || may && asked == true) return true;
            throw new DomainException(may
                ? "This monitor may reach private addresses, and from another place they are other machines. Allow them there as well (by API: allowPrivate), or leave the place out."
                : "This monitor may reach private addresses, and from another place they are other machines. Ask an administrator to add the place.", "places");
        }
        if (host is null) return false;
        if (asked == true && !may)
            throw new DomainException("Only an administrator can allow private addresses. Ask an administrator to save this monitor.", "allowPrivate");
        if (asked == true) return true;
        if (await IsPrivate(host.Trim('[', ']'), ct) != true) return false;
        var field = draft.Kind == MonitorKind.Dns ? "resolver" : "target";
        if (!may)
            throw new DomainException($"{host} leads to a private address, which only an administrator can allow. Ask an administrator to save this monitor, or choose a public address.", field);
        throw new DomainException($"{host} leads to a private address, and private addresses are not allowed for this monitor. Allow them (by API: allowPrivate), or choose a public address.", field);
    }

    /// <summary>Which of many hosts lead to private addresses. Those that cannot be resolved in time are not among them: their checks refuse them.</summary>
    public async Task<IReadOnlySet<string>> PrivateAmong(IEnumerable<string> hosts, CancellationToken ct)
    {
        var found = new ConcurrentDictionary<string, bool>();
        var began = clock.GetTimestamp();
        await Parallel.ForEachAsync(hosts.Distinct(), new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = ct }, async (host, stop) =>
        {
            if (clock.GetElapsedTime(began) < Patience * 5 && await IsPrivate(host.Trim('[', ']'), stop) == true) found[host] = true;
        });
        return found.Keys.ToHashSet();
    }

    /// <summary>Null when the name cannot be resolved now: the check will say so.</summary>
    async Task<bool?> IsPrivate(string host, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, limit.Token);
        try
        {
            return await connector.IsPrivate(host, either.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return null;
        }
    }
}
