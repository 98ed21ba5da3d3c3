using Portal.Domain.Notifications;
using Portal.Domain.Shared;
using Portal.Infrastructure.Monitoring;
using Portal.Infrastructure.Notifications;

namespace Portal.Features.Notifications;

/// <summary>What is kept of a channel's settings, and who may point one at a private address: as with monitors, whoever has the permission and says so.</summary>
public sealed class ChannelConsent(ChannelBook book, GuardedConnector connector)
{
    /// <param name="given">Options and secrets by name; a secret that is left out stays.</param>
    /// <param name="asked">Null keeps a consent that stands, as long as the place does.</param>
    /// <exception cref="DomainException">Names the field.</exception>
    public async Task<(IReadOnlyDictionary<string, string> Options, IReadOnlyDictionary<string, string> Secrets)> Decide(ChannelKind kind, IReadOnlyDictionary<string, string?> given, bool? asked, Channel? before, Actor actor, CancellationToken ct)
    {
        var kept = before is null ? null : book.Settings(before);
        var (options, secrets) = book.Cleaned(kind, given, kept?.Secrets ?? new Dictionary<string, string>(), allowPrivate: false);
        if (book.Of(kind).Place(new ChannelSettings(null, options, secrets)) is not { } place) return (options, secrets);
        var stands = kept is { AllowPrivate: true } && asked != false && Same(book.Of(kind).Place(kept), place);
        if (asked == true && !stands && !actor.May(Permission.ProbePrivateAddresses)) throw new DomainException("Your account may not allow private addresses.", "allowPrivate");
        if (asked == true || stands) return book.Cleaned(kind, given, kept?.Secrets ?? new Dictionary<string, string>(), allowPrivate: true);
        if (await connector.IsPrivate(place.Host.Trim('[', ']'), ct) == true)
            throw new DomainException($"{place.Host} leads to a private address, and private addresses are not allowed for this channel. Allow them (by API: allowPrivate), or choose a public address.", "allowPrivate");
        return (options, secrets);
    }

    /// <summary>Where a place changes, what was secret is entered again: else whoever may change the address could have it sent to themselves.</summary>
    public static void RequireSecrets(IReadOnlyDictionary<string, string?> given, ChannelSettings before, Uri? from, Uri? to)
    {
        if (Same(from, to)) return;
        if (before.Secrets.Keys.FirstOrDefault(n => given.GetValueOrDefault(n) is null) is { } missing) throw new DomainException("The channel gets another address: enter its secrets again.", missing);
    }

    static bool Same(Uri? a, Uri? b) => a is not null && b is not null && a.Scheme == b.Scheme && a.Authority == b.Authority;
}
