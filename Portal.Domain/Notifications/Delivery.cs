using Portal.Domain.Access;
using Portal.Domain.Alerting;
using Portal.Domain.Shared;

namespace Portal.Domain.Notifications;

public readonly record struct DeliveryId(Guid Value) : IId<DeliveryId>
{
    public static DeliveryId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

/// <summary>Why somebody is told.</summary>
public enum DeliveryPurpose
{
    /// <summary>Somebody is to act on an alert.</summary>
    Page,
    /// <summary>For those who were told of an alert: somebody has it, or it is over.</summary>
    Follow,
    /// <summary>The code that proves a contact.</summary>
    Code,
    /// <summary>A shift begins.</summary>
    HandOver,
}

/// <summary>What became of a message.</summary>
public enum DeliveryState
{
    /// <summary>It is to be sent, at once or when it is due.</summary>
    Waiting,
    /// <summary>The channel took it.</summary>
    Sent,
    /// <summary>The channel says that it arrived.</summary>
    Delivered,
    /// <summary>It was refused for good, or tried for too long.</summary>
    Failed,
    /// <summary>There was no need any more: somebody had acknowledged, or it became part of one message with others.</summary>
    Dropped,
}

/// <summary>Where a message goes.</summary>
/// <param name="Channel">Null for mail and web push, which need no account.</param>
/// <param name="Person">Null where it is nobody's own address.</param>
/// <param name="Contact">Null where it is none of a person's contacts: the address that they sign in with, a channel, a group.</param>
/// <param name="Address">In words, as it is shown.</param>
public sealed record DeliveryAddress(ChannelKind Kind, ChannelId? Channel, PersonId? Person, ContactId? Contact, string Address);

/// <summary>One message to one address: saved together with what it tells of, sent at least once, and kept with everything that became of it.</summary>
public sealed class Delivery
{
    public const int KeyLength = 250, TitleLength = 300, BodyLength = 8_000, ErrorLength = 500;
    /// <summary>Tried for so long before it is given up; the next way does not wait for that.</summary>
    public const int MostAttempts = 6;

    Delivery() { }

    /// <param name="key">Nothing is sent twice under one key: what it tells of, the step and the address.</param>
    /// <param name="alert">Null where it tells of none.</param>
    /// <param name="dueAt">Not before.</param>
    public Delivery(DeliveryPurpose purpose, DeliveryAddress to, string key, string title, string body, AlertId? alert, DateTimeOffset dueAt, DateTimeOffset now, int? step = null, bool isTest = false, DeliveryId? insteadOf = null)
    {
        Id = Shared.Id.New<DeliveryId>(now);
        (Purpose, Kind, ChannelId, PersonId, ContactId, Address) = (purpose, to.Kind, to.Channel, to.Person, to.Contact, Cut(to.Address, Notifications.Contact.AddressLength));
        (Key, Title, Body, AlertId, DueAt, CreatedAt, Step, IsTest, InsteadOf) = (key, Cut(title, TitleLength), Cut(body, BodyLength), alert, dueAt, now, step, isTest, insteadOf);
    }

    public DeliveryId Id { get; private set; }
    public DeliveryPurpose Purpose { get; private set; }
    public ChannelKind Kind { get; private set; }
    public ChannelId? ChannelId { get; private set; }
    public PersonId? PersonId { get; private set; }
    public ContactId? ContactId { get; private set; }
    public string Address { get; private set; } = "";
    public string Key { get; private set; } = "";
    public string Title { get; private set; } = "";
    public string Body { get; private set; } = "";
    public AlertId? AlertId { get; private set; }
    /// <summary>Of the policy, counted over all rounds from 0; null where no step fired it.</summary>
    public int? Step { get; private set; }
    public bool IsTest { get; private set; }
    /// <summary>The one that failed, if this is the second way.</summary>
    public DeliveryId? InsteadOf { get; private set; }
    public DeliveryState State { get; private set; }
    public DateTimeOffset CreatedAt { get; private set; }
    public DateTimeOffset DueAt { get; private set; }
    public int Attempts { get; private set; }
    public string? ClaimedBy { get; private set; }
    /// <summary>Since when it waits to go as one message with others, because too many went there; null while it does not.</summary>
    public DateTimeOffset? GatheringSince { get; private set; }
    /// <summary>When the channel took it.</summary>
    public DateTimeOffset? SentAt { get; private set; }
    public DateTimeOffset? EndedAt { get; private set; }
    public string? LastError { get; private set; }
    /// <summary>What the channel calls it, to understand its receipts.</summary>
    public string? ProviderId { get; private set; }
    /// <summary>When a person answered it: acknowledged by its link, pressed a key.</summary>
    public DateTimeOffset? ConfirmedAt { get; private set; }

    /// <summary>A person answered it; the first time counts.</summary>
    public void Confirm(DateTimeOffset now) => ConfirmedAt ??= now;

    static string Cut(string text, int length) => text.Length <= length ? text : string.Concat(text.AsSpan(0, length - 1), "…");
}

/// <summary>One change of a delivery's state, with the reason that the channel gave.</summary>
public sealed class DeliveryEvent
{
    DeliveryEvent() { }

    public DeliveryEvent(DeliveryId delivery, DeliveryState state, string detail, DateTimeOffset at) =>
        (Id, DeliveryId, State, At, Detail) = (Guid.CreateVersion7(at), delivery, state, at, detail.Length <= Delivery.ErrorLength ? detail : string.Concat(detail.AsSpan(0, Delivery.ErrorLength - 1), "…"));

    public Guid Id { get; private set; }
    public DeliveryId DeliveryId { get; private set; }
    public DeliveryState State { get; private set; }
    public DateTimeOffset At { get; private set; }
    public string Detail { get; private set; } = "";
}
