using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Audit;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Persistence.Alerting;

namespace Portal.Features.Alerting;

/// <summary>Somebody, or a program, raises an alert by hand: it goes the way of every other signal.</summary>
public sealed class RaiseAlert(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="Key">Open alerts of the service with this key are one; null: it is a new one.</param>
    public sealed record Request(ServiceId Service, Severity Severity, string Summary, string? Key = null, string? Source = null, IReadOnlyList<AlertLabel>? Labels = null, string? Details = null, string? Link = null);

    /// <returns>The key under which the alert is found as soon as it is taken in.</returns>
    public async Task<string> Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.HandleAlerts);
        var now = clock.GetUtcNow();
        var summary = Text.Required(request.Summary, "summary", "The summary", AlertSignal.SummaryLength);
        if (request.Labels is { Count: > AlertSignal.MostLabels }) throw new DomainException($"An alert has at most {AlertSignal.MostLabels} labels.", "labels");
        if (request.Link is { Length: > 0 } link && !(Uri.TryCreate(link, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https")) throw new DomainException("The link is an address that begins with https:// or http://.", "link");
        await using var db = await contexts.CreateDbContextAsync(ct);
        var service = await db.Services.AsNoTracking().SingleOrDefaultAsync(s => s.Id == request.Service, ct) ?? throw new NotFoundException("service");
        var key = Text.Optional(request.Key, "key", "The key", AlertSignal.KeyLength) ?? $"by-hand:{Guid.CreateVersion7(now):N}";
        var signal = new AlertSignal(SignalAction.Trigger, key, request.Severity, summary, request.Source ?? "", new(request.Labels ?? []), request.Details, request.Link, By: actor.Name);
        var heard = new HeardSignal(service.Id, signal, now);
        db.HeardSignals.Add(heard);
        await db.Commit(new AuditEntry(actor, "alert.raised", service.Id.ToString(), $"{service.Name}: {summary}", now), ct);
        return heard.Signal.Key;
    }
}
