using System.Text.Json;

namespace Portal.Features.Health.Parts;

/// <summary>The published summary is served, whole, and of a page that still follows the database.</summary>
sealed class PublicApiPart(SelfCall self) : IHealthPart
{
    public string Name => "public-api";

    public async Task<PartReport> Look(CancellationToken ct)
    {
        using var answer = await self.Get("/api/v2/summary.json", ct);
        if (!answer.IsSuccessStatusCode) return PartReport.Failing($"summary.json answers {(int)answer.StatusCode}.");
        await using var body = await answer.Content.ReadAsStreamAsync(ct);
        using var summary = await JsonDocument.ParseAsync(body, cancellationToken: ct);
        var indicator = summary.RootElement.GetProperty("status").GetProperty("indicator").GetString();
        return PartReport.Ok(("indicator", indicator), ("changedAt", summary.RootElement.GetProperty("page").GetProperty("updated_at").GetString()));
    }
}
