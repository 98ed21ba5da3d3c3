using System.Diagnostics;

namespace Portal.E2E.Support;

/// <summary>A table of a portal's database that nobody else can read until this is disposed: whoever asks for it waits.</summary>
sealed class HeldTable : IAsyncDisposable
{
    readonly Process psql;

    HeldTable(Process psql) => this.psql = psql;

    public static async Task<HeldTable> Hold(PortalProcess portal, string table, string database = "portal")
    {
        var port = File.ReadLines(Path.Combine(portal.Data, "postgres", "postmaster.pid")).ElementAt(3);
        var start = new ProcessStartInfo("psql", ["-h", "127.0.0.1", "-p", port, "-U", "portal", "-d", database, "-v", "ON_ERROR_STOP=1", "-qAt"]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment["PGPASSWORD"] = (await File.ReadAllTextAsync(Path.Combine(portal.Data, "keys", "postgres.password"))).Trim();
        var held = new HeldTable(Process.Start(start)!);
        await held.psql.StandardInput.WriteAsync($"begin;\nlock table {table};\n\\echo held\n");
        await held.psql.StandardInput.FlushAsync();
        if (await held.psql.StandardOutput.ReadLineAsync() == "held") return held;
        await held.DisposeAsync();
        throw new InvalidOperationException($"The table {table} could not be held.");
    }

    /// <summary>psql ends with its input, and its transaction with it.</summary>
    public async ValueTask DisposeAsync()
    {
        psql.StandardInput.Close();
        await psql.WaitForExitAsync();
        psql.Dispose();
    }
}
