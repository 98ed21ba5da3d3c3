using System.Data.Common;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;
using Portal.Infrastructure.Persistence;

namespace Portal.Tests.Persistence;

/// <param name="Buffers">Pages of 8 kB that were read, from memory or from disk.</param>
/// <param name="ReadWhole">Tables that were read from end to end; an empty one costs nothing.</param>
sealed record QueryPlan(string Sql, long Buffers, IReadOnlyList<string> ReadWhole, string Json)
{
    public override string ToString() => $"{Sql}\n{Json}";
}

/// <summary>Contexts that remember what they read with, so that PostgreSQL can be asked how it does that.</summary>
sealed class QueryPlans(NpgsqlDataSource source) : DbCommandInterceptor, IDbContextFactory<PortalDbContext>
{
    readonly List<(string Sql, NpgsqlParameter[] Parameters)> seen = [];

    public PortalDbContext CreateDbContext() =>
        new(new DbContextOptionsBuilder<PortalDbContext>(Database.OptionsFor(source)).AddInterceptors(this).Options);

    public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
    {
        seen.Add((command.CommandText, [.. command.Parameters.Cast<NpgsqlParameter>().Select(p => p.Clone())]));
        return base.ReaderExecutingAsync(command, eventData, result, cancellationToken);
    }

    public async Task<IReadOnlyList<QueryPlan>> Explain()
    {
        var plans = new List<QueryPlan>();
        foreach (var (sql, parameters) in seen)
        {
            await using var command = source.CreateCommand($"explain (analyze, buffers, timing off, format json) {sql}");
            command.Parameters.AddRange(parameters);
            var json = (string)(await command.ExecuteScalarAsync())!;
            using var document = JsonDocument.Parse(json);
            var plan = document.RootElement[0].GetProperty("Plan");
            var tables = Nodes(plan).Where(n => n.GetProperty("Node Type").GetString() == "Seq Scan" && Buffers(n) > 0).Select(n => n.GetProperty("Relation Name").GetString()!).Distinct().ToList();
            plans.Add(new QueryPlan(sql, Buffers(plan), tables, Outline(plan)));
        }
        return plans;
    }

    static long Buffers(JsonElement node) => node.GetProperty("Shared Hit Blocks").GetInt64() + node.GetProperty("Shared Read Blocks").GetInt64();

    static IEnumerable<JsonElement> Nodes(JsonElement node) =>
        node.TryGetProperty("Plans", out var inner) ? inner.EnumerateArray().SelectMany(Nodes).Prepend(node) : [node];

    static string Outline(JsonElement node, int depth = 0)
    {
        string[] shown = ["Node Type", "Relation Name", "Index Name", "Index Cond", "Recheck Cond", "Filter", "Actual Rows", "Actual Loops", "Shared Hit Blocks", "Shared Read Blocks"];
        var line = new string(' ', depth * 2) + string.Join("; ", shown.Where(s => node.TryGetProperty(s, out _)).Select(s => $"{s}: {node.GetProperty(s)}"));
        return node.TryGetProperty("Plans", out var inner) ? string.Join('\n', inner.EnumerateArray().Select(n => Outline(n, depth + 1)).Prepend(line)) : line;
    }
}
