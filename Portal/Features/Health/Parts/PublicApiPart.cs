using System.Text.Json;
using Portal.Public;

namespace Portal.Features.Health.Parts;

/// <summary>The published summary is served, whole, and of a page that still follows the database.</summary>
sealed class PublicApiPart(SelfCall self, Publisher publisher, TimeProvider clock) : IHealthPart
{
    /// <summary>The page is read anew at every full minute; twice that without one means that it no longer follows.</summary>
    static readonly TimeSpan Oldest = TimeSpan.FromMinutes(2);

    public string Name => "public-api";

    public async Task<PartReport> Look(CancellationToken ct)
    {
        using var answer = await self.Get("/api/v2/summary.json", ct);
        if (!answer.IsSuccessStatusCode) return PartReport.Failing($"summary.json answers {(int)answer.StatusCode}.");
        await using var body = await answer.Content.ReadAsStreamAsync(ct);
        using var summary = await JsonDocument.ParseAsync(body, cancellationToken: ct);
        var indicator = summary.RootElement.GetProperty("status").GetProperty("indicator").GetString();
        if (publisher.Model is { } model && clock.GetUtcNow() - model.ReadAt is var age && age > Oldest)
            return PartReport.Failing($"The published page is {age.TotalMinutes:0} minutes old.");
        return PartReport.Ok(("indicator", indicator), ("changedAt", summary.RootElement.GetProperty("page").GetProperty("updated_at").GetString()));
    }
}
