using System.Text;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Security;

namespace Portal.Features.Alerting;

/// <summary>Says how a service hears hooks: with what Sentry signs, and where in documents of the generic hook everything stands.</summary>
public sealed class ChangeHooks(IDbContextFactory<PortalDbContext> contexts, SecretBox box, TimeProvider clock)
{
    public const int LongestSecret = 200;

    /// <param name="SetSentry">Whether the secret changes; it is never shown again.</param>
    /// <param name="SentrySecret">The client secret of the integration; null takes it away.</param>
    /// <param name="SetMapping">Whether the mapping changes.</param>
    /// <param name="Mapping">Null: the names that are expected where nobody said others.</param>
    public sealed record Request(ServiceId Service, bool SetSentry, string? SentrySecret, bool SetMapping, SignalMapping? Mapping);

    public async Task Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageAlerting);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var service = await db.Services.SingleOrDefaultAsync(s => s.Id == request.Service, ct) ?? throw new NotFoundException("service");
        var secret = request.SentrySecret is null ? null : Text.Required(request.SentrySecret, "sentrySecret", "The secret", LongestSecret);
        if (request.SetSentry) service.SealSentry(secret is null ? null : box.Seal(Encoding.UTF8.GetBytes(secret), Row(service.Id)));
        if (request.SetMapping) service.Map(request.Mapping);
        await db.Commit(new AuditEntry(actor, "service.hooks_changed", service.Id.ToString(), service.Name, now), ct);
    }

    public static string Open(SecretBox box, ServiceId service, byte[] stored) => Encoding.UTF8.GetString(box.Open(stored, Row(service)));

    /// <summary>Another secret of the same row does not open as this one.</summary>
    static string Row(ServiceId service) => $"{service}:sentry";
}
