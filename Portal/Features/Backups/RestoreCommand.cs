using System.Text;
using Npgsql;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Hosting;
using Portal.Infrastructure;
using Portal.Infrastructure.Backups;
using Portal.Infrastructure.Monitoring;
using Portal.Infrastructure.Postgres;
using Portal.Infrastructure.Security;

namespace Portal.Features.Backups;

/// <summary><c>portal restore [list | BACKUP]</c>: brings the portal's own database back, from the store and its keys alone, while no portal works on it. What was there before is kept under another name.</summary>
public sealed class RestoreCommand(Toolbox tools, IReadOnlyDictionary<string, string?> settings, TextWriter output)
{
    public const string From = "Restore:From", PassphraseFile = "Restore:PassphraseFile", Confirm = "Restore:Confirm";

    public async Task<int> Run(IReadOnlyList<string> words, CancellationToken ct)
    {
        if (words.Count > 1) throw new CannotStartException("Write: restore list, or restore [BACKUP] [--from FOLDER] [--passphrase-file FILE] [--confirm RESTORE]. Without BACKUP the newest is taken.");
        try
        {
            using var opening = new StoreOpening(tools.Options, new SecretBox(tools.Key), new GuardedConnector(), TimeProvider.System);
            var place = settings.GetValueOrDefault(From) is { } folder ? new LocalStore(folder) : opening.Place(tools.Options.Backups.Place, () => tools.Options.Backups.SecretKey ?? "");
            using var closing = place as IDisposable;
            var (manifest, key, passphrase) = await Choose(place, opening, words.Count == 1 && words[0] != "list" ? words[0] : null, words is ["list"], ct);
            return manifest is null ? 0 : await Restore(place, manifest, key!, passphrase, ct);
        }
        catch (Exception e) when (e is BackupFailedException or DomainException)
        {
            throw new CannotStartException(e.Message);
        }
    }

    async Task<(BackupManifest?, DataKey?, string? Passphrase)> Choose(IBackupStore place, StoreOpening opening, string? asked, bool list, CancellationToken ct)
    {
        if (tools.Key.FileExists) tools.Key.Load();
        string? passphrase = null;
        var keys = new Dictionary<BackupKeyId, DataKey>();
        await foreach (var found in place.List(ArtifactNames.Keys, ct))
            if (ArtifactNames.OfSealedKey(found.Name) is { } id && tools.Key.IsLoaded && await Sealed(place, opening, id, found.Name, ct) is { } opened) keys[id] = opened;
        if (keys.Count == 0 || settings.GetValueOrDefault(PassphraseFile) is not null)
        {
            passphrase = await Passphrase(ct);
            if (!await OpenWith(passphrase, place, keys, ct) && keys.Count == 0)
                throw new CannotStartException($"The passphrase opens no key in {place.Words}: it is another one, or nobody made a recovery sheet of this store. Compare it with the sheet.");
        }
        var (all, closed) = (new List<BackupManifest>(), 0);
        await foreach (var found in new ArtifactReader(place).All(keys.GetValueOrDefault, ct))
            if (found.Manifest is { Target: BackupTarget.Own, Kind: ContentKind.Database } manifest) all.Add(manifest);
            else if (found.Manifest is null)
            {
                if (found.Key is { } id && !keys.ContainsKey(id)) closed++;
                await output.WriteLineAsync($"{found.Id}  cannot be used: {found.Problem}");
            }
        // The newest of those that open may be of a portal that was begun anew on this store: which one is meant is for a person to say.
        if (closed > 0 && asked is null && !list) throw new CannotStartException($"{closed} backups in {place.Words} open with another key, so the newest one may be among them. Give the passphrase of their recovery sheet (--passphrase-file FILE), or name the backup that you want (portal restore list).");
        if (all.Count == 0) throw new CannotStartException($"There is no backup of the portal's own database in {place.Words} that the keys at hand open.");
        if (list)
        {
            foreach (var one in all) await output.WriteLineAsync($"{one.Id}  shows {Moment(one)}  {ByteWords.Of(one.Plain.Bytes)}  portal {one.Versions.Portal}");
            return default;
        }
        var chosen = asked is null ? all.MaxBy(m => m.Snapshot?.TakenAt ?? m.StartedAt) : all.Find(m => m.Id.ToString() == asked);
        return chosen is null ? throw new CannotStartException($"There is no backup {asked} of the portal's own database in {place.Words}: \"portal restore list\" shows those that there are.") : (chosen, keys[chosen.Key], passphrase);
    }

    static async Task<bool> OpenWith(string passphrase, IBackupStore place, Dictionary<BackupKeyId, DataKey> keys, CancellationToken ct)
    {
        var opened = false;
        await foreach (var found in place.List(ArtifactNames.Keys, ct))
            if (ArtifactNames.OfKey(found.Name) is { } id)
                try
                {
                    keys[id] = await DataKey.Unwrap(id, Encoding.ASCII.GetString(await place.Read(found.Name, 10_000, ct)), passphrase, ct);
                    opened = true;
                }
                catch (BackupFailedException e) when (e.Kind == BackupFailure.Refused)
                {
                    // Of another sheet: several portals may share a store.
                    continue;
                }
        return opened;
    }

    static async Task<DataKey?> Sealed(IBackupStore place, StoreOpening opening, BackupKeyId id, string name, CancellationToken ct)
    {
        try
        {
            return opening.Key(id, await place.Read(name, 10_000, ct));
        }
        catch (BackupFailedException)
        {
            // Of another portal, or another master key: the passphrase is the way that is left.
            return null;
        }
    }

    async Task<int> Restore(IBackupStore place, BackupManifest manifest, DataKey key, string? passphrase, CancellationToken ct)
    {
        var way = await tools.Connection(ct);
        var name = new NpgsqlConnectionStringBuilder(way).Database!;
        await output.WriteLineAsync($"Backup {manifest.Id} shows {Moment(manifest)}: {ByteWords.Of(manifest.Plain.Bytes)}, {manifest.Database!.Tables.Count} tables.");
        Require(name);
        await BringMasterKey(place, manifest, passphrase, ct);
        await using var server = await RestoredDatabase.Claim(way, name, TimeProvider.System, ct);
        var exists = await server.Exists(name, ct);
        if (exists) await RequireAlone(way, ct);
        var unfinished = Domain.Backups.Restore.UnfinishedName(Id.New<JobRunId>(TimeProvider.System.GetUtcNow()));
        var said = -1;
        var report = await new DatabaseRestore(new ArtifactReader(place), await PostgresTools.Find(ct), tools.Folder.Private("scratch"), TimeProvider.System, toOwners: false).Into(manifest, key, server.Server, unfinished, p =>
        {
            var tenth = (int)(10 * p.Content / Math.Max(1, manifest.Plain.Bytes));
            if (p.Content > 0 && tenth > said) output.WriteLine($"Restored {10 * (said = tenth)} %");
        }, ct);
        foreach (var line in report.Comparison.Differences) await output.WriteLineAsync($"differs: {line.Subject}: {line.Expected} in the backup, {line.Found} restored");
        if (!report.Comparison.IsEqual)
        {
            await server.Drop(unfinished, ct);
            throw new CannotStartException("What was restored differs from the backup, so nothing was replaced. Take another backup (portal restore list).");
        }
        foreach (var left in report.GrantsLeftOut) await output.WriteLineAsync($"not given again: {left}");
        var aside = exists ? $"{name}_before_{TimeProvider.System.GetUtcNow():yyyyMMddHHmmss}" : null;
        var wasEmpty = exists && await IsEmpty(way, ct);
        try
        {
            if (exists && !wasEmpty) await SayKeys(way, new NpgsqlConnectionStringBuilder(server.Server) { Database = unfinished }.ConnectionString, ct);
            if (exists) await RequireAlone(way, ct);
            await server.TakePlace(unfinished, aside, ct);
        }
        catch
        {
            await server.Drop(unfinished, CancellationToken.None);
            throw;
        }
        if (wasEmpty) await server.Drop(aside!, ct);
        if (report.MissingRoles.Count > 0) await output.WriteLineAsync($"Roles that the server does not have: {string.Join(", ", report.MissingRoles)}. What they own belongs to whoever restored it.");
        foreach (var left in report.GrantsLeftOut) await output.WriteLineAsync($"Not granted again: {left}");
        await output.WriteLineAsync($"Restored: {report.Comparison.Lines.Count} things were compared, and all are equal.{(aside is null || wasEmpty ? "" : $" What was there before is kept as the database {aside}.")}");
        await output.WriteLineAsync("Start the portal now. Jobs that were not over are interrupted, messages are held until an administrator releases them on /admin/backups, and everybody signs in again.");
        return 0;
    }

    static string Moment(BackupManifest manifest) => $"{(manifest.Snapshot?.TakenAt ?? manifest.StartedAt).UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC";

    void Require(string name)
    {
        var answer = settings.GetValueOrDefault(Confirm);
        if (answer is null && !Console.IsInputRedirected)
        {
            Console.Write($"The database {name} is replaced; what is there now is kept under another name. Type RESTORE {name}: ");
            answer = Console.ReadLine()?.Trim() == $"RESTORE {name}" ? QueueRestore.Word : "";
        }
        if (answer != QueueRestore.Word) throw new CannotStartException("Nothing was changed. To go on, confirm with --confirm RESTORE.");
    }

    async Task<string> Passphrase(CancellationToken ct)
    {
        if (settings.GetValueOrDefault(PassphraseFile) is { } file)
            return File.Exists(file) ? (await File.ReadAllTextAsync(file, ct)).Trim() : throw new CannotStartException($"There is no file {file} (--passphrase-file).");
        if (Console.IsInputRedirected) throw new CannotStartException($"The master key {tools.Key.File} does not open this store. Give the passphrase of its recovery sheet in a file: --passphrase-file FILE.");
        Console.Write("Passphrase of the recovery sheet: ");
        var typed = new StringBuilder();
        for (var pressed = Console.ReadKey(intercept: true); pressed.Key != ConsoleKey.Enter; pressed = Console.ReadKey(intercept: true))
            if (pressed.Key == ConsoleKey.Backspace) typed.Length = Math.Max(0, typed.Length - 1);
            else typed.Append(pressed.KeyChar);
        Console.WriteLine();
        return typed.ToString().Trim();
    }

    /// <summary>Without it the secrets inside do not open, and the portal would not start.</summary>
    async Task BringMasterKey(IBackupStore place, BackupManifest manifest, string? passphrase, CancellationToken ct)
    {
        if (passphrase is null) return;
        var secret = await Carried(place, manifest, passphrase, ct)
            ?? throw new CannotStartException("Neither this backup nor its store carries the master key under this passphrase: put the master key file back first.");
        if (tools.Key.FileExists && !tools.Key.Bytes.SequenceEqual(secret)) throw new CannotStartException($"{tools.Key.File} holds another master key than the backup: move it away first. It is needed for whatever else it sealed.");
        if (tools.Key.FileExists) return;
        if (Path.GetDirectoryName(tools.Key.File) is { Length: > 0 } folder) Directory.CreateDirectory(folder, PrivateFile.FolderMode);
        PrivateFile.Write(tools.Key.File, secret);
        await output.WriteLineAsync($"The master key was put back: {tools.Key.File}");
    }

    /// <summary>Beside the key of the store under the sheet that holds now; in the backup under the one that held when it was made.</summary>
    static async Task<byte[]?> Carried(IBackupStore place, BackupManifest manifest, string passphrase, CancellationToken ct)
    {
        foreach (var read in new Func<Task<string>>[] { async () => Encoding.ASCII.GetString(await place.Read(ArtifactNames.MasterKey(manifest.Key), 10_000, ct)), () => Task.FromResult(manifest.Carried.GetValueOrDefault("master.key", "")) })
            try
            {
                return await DataKey.Unwrap(await read(), passphrase, ct);
            }
            catch (BackupFailedException)
            {
                // Not there, or under the passphrase of another sheet: the other place may have it.
                continue;
            }
        return null;
    }

    /// <summary>Another node would go on writing into what is put aside.</summary>
    static async Task RequireAlone(string way, CancellationToken ct)
    {
        await using var connection = await Open(way, ct);
        await using var command = new NpgsqlCommand("select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and application_name like 'portal%'", connection);
        if ((long)(await command.ExecuteScalarAsync(ct))! > 0) throw new CannotStartException("A portal still works on this database: stop every node first.");
    }

    static async Task<bool> IsEmpty(string way, CancellationToken ct)
    {
        await using var connection = await Open(way, ct);
        await using var command = new NpgsqlCommand("select not exists (select 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%')", connection);
        return (bool)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>API keys that somebody has and that do not work here, and those that work again though somebody revoked them.</summary>
    async Task SayKeys(string before, string after, CancellationToken ct)
    {
        try
        {
            var (then, now) = (await Keys(before, ct), await Keys(after, ct));
            foreach (var (id, (name, _)) in then.Where(k => !now.ContainsKey(k.Key))) await output.WriteLineAsync($"API key \"{name}\" ({id}) was made after the backup: it does not work any more, make it anew.");
            foreach (var (id, (name, _)) in then.Where(k => k.Value.Revoked && now.TryGetValue(k.Key, out var old) && !old.Revoked)) await output.WriteLineAsync($"API key \"{name}\" ({id}) was revoked after the backup and works again: revoke it.");
        }
        catch (PostgresException e)
        {
            await output.WriteLineAsync($"Which API keys were made or revoked since could not be read from what was there before: {e.MessageText}");
        }
    }

    static async Task<Dictionary<Guid, (string Name, bool Revoked)>> Keys(string way, CancellationToken ct)
    {
        await using var connection = await Open(way, ct);
        await using var command = new NpgsqlCommand("select id, name, revoked_at is not null from api_keys", connection);
        await using var reader = await command.ExecuteReaderAsync(ct);
        var keys = new Dictionary<Guid, (string, bool)>();
        while (await reader.ReadAsync(ct)) keys[reader.GetGuid(0)] = (reader.GetString(1), reader.GetBoolean(2));
        return keys;
    }

    static async Task<NpgsqlConnection> Open(string way, CancellationToken ct)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(way) { Pooling = false, ApplicationName = "restore" }.ConnectionString);
        await connection.OpenAsync(ct);
        return connection;
    }
}
