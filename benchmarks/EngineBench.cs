using Portal.E2E.Support;
namespace Portal.Benchmarks;
static class EngineBench
{
    public static async Task<IReadOnlyList<Figure>> Run() { await Task.CompletedTask; return []; }
}
