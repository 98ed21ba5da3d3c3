using Portal.Domain.Incidents;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;

namespace Portal.Domain.Alerting;

public readonly record struct ServiceId(Guid Value) : IId<ServiceId>
{
    public static ServiceId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

/// <summary>By which policy an alert goes, for each severity. Null: it pages nobody and is only listed.</summary>
public sealed record SeverityPolicies(EscalationPolicyId? P0, EscalationPolicyId? P1, EscalationPolicyId? P2, EscalationPolicyId? P3)
{
    public EscalationPolicyId? Of(Severity severity) => severity switch
    {
        Severity.P0 => P0,
        Severity.P1 => P1,
        Severity.P2 => P2,
        _ => P3,
    };
}

/// <summary>Something that a team looks after: alerts belong to one, and it says whom they page, when its people work, and what becomes an incident.</summary>
public sealed class Service
{
    public const int LongestGrouping = 1_440;
    public const int LongestAcknowledgement = 10_080;
    public const int MostComponents = 100;

    Service() { }

    /// <param name="routingKeyHash">SHA-256 of the key under which programs raise alerts of it.</param>
    /// <param name="sealedRoutingKey">The same key, sealed: whoever manages alerts may read it again.</param>
    /// <exception cref="DomainException">Names the field.</exception>
    public Service(ServiceSettings settings, byte[] routingKeyHash, byte[] sealedRoutingKey, DateTimeOffset now, ServiceId? id = null)
    {
        Id = id ?? Shared.Id.New<ServiceId>(now);
        CreatedAt = now;
        Change(settings);
        Rekey(routingKeyHash, sealedRoutingKey);
    }

    public ServiceId Id { get; private set; }
    public string Name { get; private set; } = "";
    /// <summary>Unique; what addresses and labels call it.</summary>
    public string Slug { get; private set; } = "";
    public string? Description { get; private set; }
    public EscalationPolicyId? PolicyP0 { get; private set; }
    public EscalationPolicyId? PolicyP1 { get; private set; }
    public EscalationPolicyId? PolicyP2 { get; private set; }
    public EscalationPolicyId? PolicyP3 { get; private set; }
    /// <summary>What is not urgent waits for these; null: it is looked after at all hours.</summary>
    public SupportHours? Hours { get; private set; }
    /// <summary>Minutes after which an acknowledged alert pages again unless it is resolved; null never.</summary>
    public int? AcknowledgedFor { get; private set; }
    /// <summary>Minutes since the last of a group within which another alert joins it instead of paging again; 0 groups nothing.</summary>
    public int GroupFor { get; private set; }
    /// <summary>An alert of this severity or worse declares an incident by itself; null: people do.</summary>
    public Severity? DeclareFrom { get; private set; }
    /// <summary>What its incidents are about on the status page.</summary>
    public IReadOnlyList<ComponentId> Components { get; private set; } = [];
    public byte[] RoutingKeyHash { get; private set; } = [];
    public byte[] SealedRoutingKey { get; private set; } = [];
    /// <summary>What Sentry signs its hooks with, sealed; null where none was entered, and then they are refused.</summary>
    public byte[]? SealedSentrySecret { get; private set; }
    /// <summary>How the generic hook reads documents; null reads the names that it expects.</summary>
    public SignalMapping? Mapping { get; private set; }
    public DateTimeOffset CreatedAt { get; private set; }
    public uint Version { get; private set; }

    public SeverityPolicies Policies => new(PolicyP0, PolicyP1, PolicyP2, PolicyP3);

    public ServiceSettings Settings => new(Name, Slug, Description, Policies, Hours, AcknowledgedFor, GroupFor, DeclareFrom, Components);

    /// <exception cref="DomainException">Names the field.</exception>
    public void Change(ServiceSettings settings)
    {
        if (settings.AcknowledgedFor is < 1 or > LongestAcknowledgement) throw new DomainException($"An acknowledgement lasts 1 to {LongestAcknowledgement:N0} minutes; leave it empty for one without an end.", "acknowledgedFor");
        if (settings.GroupFor is < 0 or > LongestGrouping) throw new DomainException($"Alerts are grouped over 0 to {LongestGrouping:N0} minutes; 0 groups nothing.", "groupFor");
        if (settings.Components.Count > MostComponents) throw new DomainException($"A service names at most {MostComponents} components.", "components");
        var name = Text.Required(settings.Name, "name", "The name", Text.NameLength);
        var slug = string.IsNullOrWhiteSpace(settings.Slug) ? Text.Slug(name) : settings.Slug.Trim();
        if (!Text.IsSlug(slug)) throw new DomainException("The short name has lower-case letters, digits and hyphens, at most 60.", "slug");
        (Name, Slug, Description) = (name, slug, Text.Optional(settings.Description, "description", "The description", Text.DescriptionLength));
        (PolicyP0, PolicyP1, PolicyP2, PolicyP3) = settings.Policies;
        (Hours, AcknowledgedFor, GroupFor, DeclareFrom) = (settings.Hours, settings.AcknowledgedFor, settings.GroupFor, settings.DeclareFrom);
        if (!Components.SequenceEqual(settings.Components)) Components = [.. settings.Components.Distinct()];
    }

    /// <summary>From now on programs raise its alerts under another key.</summary>
    public void Rekey(byte[] hash, byte[] sealedKey) => (RoutingKeyHash, SealedRoutingKey) = (hash, sealedKey);

    /// <param name="secret">Null takes it away.</param>
    public void SealSentry(byte[]? secret) => SealedSentrySecret = secret;

    /// <exception cref="DomainException">Names the field.</exception>
    public void Map(SignalMapping? mapping) => Mapping = mapping?.Checked();
}

/// <summary>What people set of a service. See <see cref="Service"/> for each.</summary>
public sealed record ServiceSettings(string Name, string? Slug, string? Description, SeverityPolicies Policies, SupportHours? Hours, int? AcknowledgedFor, int GroupFor, Severity? DeclareFrom, IReadOnlyList<ComponentId> Components);
