using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Notifications;
using Portal.Domain.Shared;
using Portal.Infrastructure.Notifications;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Notifications;

/// <summary>Sets up a channel that messages go out by.</summary>
public sealed class AddChannel(IDbContextFactory<PortalDbContext> contexts, ChannelBook book, ChannelConsent consent, TimeProvider clock)
{
    public const int Most = 100;

    /// <param name="Settings">Options and secrets by the names that the kind knows.</param>
    public sealed record Request(string? Name, ChannelKind Kind, ChannelLimits Limits, IReadOnlyDictionary<string, string?> Settings, bool? AllowPrivate = null);

    public async Task<ChannelId> Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageChannels);
        var now = clock.GetUtcNow();
        var (options, secrets) = await consent.Decide(request.Kind, request.Settings, request.AllowPrivate, null, actor, ct);
        var id = Id.New<ChannelId>(now);
        var channel = new Channel(request.Name ?? "", request.Kind, request.Limits, options, book.Seal(secrets, id), now, id);
        await using var db = await contexts.CreateDbContextAsync(ct);
        if (await db.Channels.CountAsync(ct) >= Most) throw new DomainException($"There are {Most} channels already, as many as there can be.");
        db.Channels.Add(channel);
        try
        {
            await db.Commit(new AuditEntry(actor, "channel.added", id.ToString(), $"{channel.Name} ({ChannelWords.Of(channel.Kind)})", now), ct);
        }
        catch (DbUpdateException e) when (Contention.IsTaken(e))
        {
            throw new DomainException($"There is a channel \"{channel.Name}\" already: choose another name.", "name");
        }
        return id;
    }
}

/// <summary>Changes a channel's name, limits and settings, or switches it off and on.</summary>
public sealed class ChangeChannel(IDbContextFactory<PortalDbContext> contexts, ChannelBook book, ChannelConsent consent, TimeProvider clock)
{
    /// <param name="Settings">All options, and those secrets that change; null leaves all as they are.</param>
    /// <param name="IsEnabled">Null leaves it.</param>
    public sealed record Request(ChannelId Id, string? Name = null, ChannelLimits? Limits = null, IReadOnlyDictionary<string, string?>? Settings = null, bool? AllowPrivate = null, bool? IsEnabled = null, uint? Version = null);

    public async Task Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageChannels);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var channel = await db.Channels.SingleOrDefaultAsync(c => c.Id == request.Id, ct) ?? throw new NotFoundException("channel");
        if (request.Version is { } seen && seen != channel.Version) throw new ConflictException("Somebody else changed this channel meanwhile. Nothing was saved: look at what stands now.");
        var options = channel.Options;
        if (request.Settings is { } given)
        {
            var before = book.Settings(channel);
            (options, var secrets) = await consent.Decide(channel.Kind, given, request.AllowPrivate, channel, actor, ct);
            var kind = book.Of(channel.Kind);
            ChannelConsent.RequireSecrets(given, before, kind.Place(before), kind.Place(new ChannelSettings(null, options, secrets)));
            channel.Reseal(book.Seal(secrets, channel.Id));
        }
        channel.Change(request.Name ?? channel.Name, request.Limits ?? new(channel.PerMinute, channel.CostCents, channel.MonthlyCapCents), options);
        if (request.IsEnabled == false) channel.Disable(now);
        if (request.IsEnabled == true) channel.Enable();
        try
        {
            await db.Commit(new AuditEntry(actor, request.IsEnabled switch { true => "channel.enabled", false => "channel.disabled", null => "channel.changed" }, channel.Id.ToString(), channel.Name, now), ct);
        }
        catch (DbUpdateException e) when (Contention.IsTaken(e))
        {
            throw new DomainException($"There is a channel \"{channel.Name}\" already: choose another name.", "name");
        }
    }
}

/// <summary>Deletes a channel that nobody is reached by.</summary>
public sealed class DeleteChannel(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public async Task Execute(ChannelId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageChannels);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var channel = await db.Channels.SingleOrDefaultAsync(c => c.Id == id, ct) ?? throw new NotFoundException("channel");
        if (await ChannelUses.Of(db, ct) is var uses && uses[id] is { Count: > 0 } users) throw new DomainException($"{channel.Name} is used by {string.Join(", ", users.Take(10))}. Take it out there first, or switch it off.");
        db.Channels.Remove(channel);
        await db.Commit(new AuditEntry(actor, "channel.deleted", id.ToString(), channel.Name, clock.GetUtcNow()), ct);
    }
}

/// <summary>Sends a test message by a channel at once, and says what the other side answered.</summary>
public sealed class TryChannel(IDbContextFactory<PortalDbContext> contexts, ChannelBook book, Hosting.PortalAddress portal, Monitoring.TryBrake brake, TimeProvider clock)
{
    /// <param name="Address">To whom, where the channel has no place of its own.</param>
    public sealed record Request(ChannelId Id, string? Address = null);

    public async Task<SendOutcome> Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageChannels);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var channel = await db.Channels.AsNoTracking().SingleOrDefaultAsync(c => c.Id == request.Id, ct) ?? throw new NotFoundException("channel");
        var kind = book.Of(channel.Kind);
        var address = string.IsNullOrWhiteSpace(request.Address) || kind.Contact is null ? null : kind.Contact.Clean(request.Address);
        brake.Count(actor);
        await db.Commit(new AuditEntry(actor, "channel.tried", channel.Id.ToString(), channel.Name, now), ct);
        var message = new Message(Id.New<DeliveryId>(now), DeliveryPurpose.Page, $"{MessageWriter.TestLabel}a message by {channel.Name}", $"{actor.Name} tries this channel. Nothing is wrong.", portal.Public, now) { IsTest = true, Url = $"{portal.Public}/admin/integrations" };
        return await kind.Send(message, book.Settings(channel, address), ct);
    }
}
