using Microsoft.EntityFrameworkCore;
using Portal.Infrastructure;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Security;

namespace Portal.Hosting;

/// <summary><c>portal migrate status|up|down [NAME]|script</c></summary>
public sealed class MigrateCommand(Toolbox tools, TextWriter output)
{
    public async Task<int> Run(IReadOnlyList<string> words, CancellationToken ct)
    {
        switch (words.Count > 0 ? words[0] : null)
        {
            case "status" when words.Count == 1: return await Status(ct);
            case "up" when words.Count == 1: return await Up(ct);
            case "down" when words.Count <= 2: return await Down(words.Count == 2 ? words[1] : null, ct);
            case "script" when words.Count == 1: return await Script();
            default: throw new CannotStartException("Write: migrate status, migrate up, migrate down [NAME], or migrate script. NAME is the migration to end at; 0 removes everything.");
        }
    }

    async Task<int> Status(CancellationToken ct)
    {
        await using var source = Database.Connect(await tools.Connection(ct));
        await using var db = new PortalDbContext(Database.OptionsFor(source));
        var state = await Migrator.State(db, ct);
        foreach (var name in state.Applied) await output.WriteLineAsync($"applied  {name}");
        foreach (var name in state.Unknown) await output.WriteLineAsync($"unknown  {name} (of a newer version)");
        foreach (var name in state.Pending) await output.WriteLineAsync($"pending  {name}");
        return state.Pending.Count + state.Unknown.Count == 0 ? 0 : 1;
    }

    async Task<int> Up(CancellationToken ct)
    {
        var connection = await tools.Connection(ct);
        await using var source = Database.Connect(connection);
        var check = new KeyCheck(tools.Key, new SecretBox(tools.Key));
        await tools.Migrator.Up(source, token => tools.KeepCopy(connection, token), check.Run, ct);
        return await Status(ct);
    }

    async Task<int> Down(string? target, CancellationToken ct)
    {
        var connection = await tools.Connection(ct);
        await using var source = Database.Connect(connection);
        var undone = await tools.Migrator.Down(source, target, token => tools.KeepCopy(connection, token), ct);
        foreach (var name in undone) await output.WriteLineAsync($"undone   {name}");
        if (undone.Count == 0) await output.WriteLineAsync("Nothing to undo.");
        return 0;
    }

    async Task<int> Script()
    {
        await using var db = new PortalDbContext(new DbContextOptionsBuilder<PortalDbContext>().UseNpgsql().Options);
        await output.WriteLineAsync(Migrator.Script(db));
        return 0;
    }
}
