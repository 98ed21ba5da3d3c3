using Npgsql;
using NpgsqlTypes;
using Portal.Domain.Jobs;
using Portal.Infrastructure.Persistence;

namespace Portal.Infrastructure.Jobs;

/// <summary>A run that this node has just begun.</summary>
public sealed record ClaimedRun(JobRunId Id, long Epoch, string Kind, string Subject, string Arguments, int Attempt, int MostAttempts, bool Repeatable);

/// <summary>What a run says of itself.</summary>
public sealed record RunProgress(string? Phase, double? Progress, string? Doing)
{
    public static RunProgress None { get; } = new(null, null, null);
}

/// <summary>A run that waits past its time.</summary>
public sealed record OverdueRun(string Kind, string Subject, DateTimeOffset DueAt);

/// <summary>Whether a run is still ours.</summary>
public enum Holding
{
    Ours,
    /// <summary>Ours, and a person asked to stop it.</summary>
    CancelAsked,
    /// <summary>Taken away, or over.</summary>
    Lost,
}

/// <summary>
/// The writes of whoever works on runs: claim, renew, end. Each but the first names the epoch of its claim and changes nothing under another one, so that a node
/// that was taken for dead and comes back cannot touch what others did since. All times are the database's: nodes need not agree on a clock.
/// </summary>
/// <param name="node">Unique for each start of a process.</param>
public sealed class RunLedger(Database database, string node, TimeSpan lease)
{
    public TimeSpan Lease => lease;

    /// <summary>Begins a run whose time has come; that of a node whose clock is a little ahead counts.</summary>
    /// <returns>Null when it is not to be begun: somebody else has it, it is over, its time has not come, or another one with the same words works and it must be alone.</returns>
    public async Task<ClaimedRun?> Claim(JobRunId id, CancellationToken ct)
    {
        try
        {
            var told = Told(id);
            await using var command = Command("""
                with claimed as (update job_runs set state = 'Running', node = @node, epoch = epoch + 1, attempt = attempt + 1, lease_until = clock_timestamp() + @lease,
                        started_at = coalesce(started_at, clock_timestamp()), progressed_at = clock_timestamp(), phase = null, progress = null, doing = null
                    where id = @id and state = 'Queued' and due_at <= clock_timestamp() + interval '1 s' and (start_by is null or attempt > 0 or start_by > clock_timestamp())
                    returning epoch, kind, subject, arguments::text, attempt, most_attempts, repeatable)
                select claimed.*, pg_notify(@channel, @told) from claimed
                """, id, ("lease", lease), ("node", node), ("channel", Changes.Channel), ("told", told.Text));
            await using var reader = await command.ExecuteReaderAsync(ct);
            if (!await reader.ReadAsync(ct)) return null;
            database.Tell(told);
            return new ClaimedRun(id, reader.GetInt64(0), reader.GetString(1), reader.GetString(2), reader.GetString(3), reader.GetInt32(4), reader.GetInt32(5), reader.GetBoolean(6));
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            // It must be alone, and is not.
            return null;
        }
    }

    /// <summary>Prolongs the lease and says how far it is. A lease that ran out and that nobody took is ours still.</summary>
    public async Task<Holding> Renew(ClaimedRun run, RunProgress progress, bool hasMoved, CancellationToken ct)
    {
        var told = Told(run.Id);
        await using var command = Command("""
            with renewed as (update job_runs set lease_until = clock_timestamp() + @lease, phase = @phase, progress = @progress, doing = @doing,
                    progressed_at = case when @moved then clock_timestamp() else progressed_at end
                where id = @id and epoch = @epoch and state = 'Running' returning cancel_asked_at)
            select cancel_asked_at is not null, case when @moved then pg_notify(@channel, @told) end from renewed
            """, run.Id, ("channel", Changes.Channel), ("told", told.Text), ("lease", lease), ("epoch", run.Epoch), ("moved", hasMoved), ("phase", Cut(progress.Phase, 60)), ("progress", progress.Progress), ("doing", Cut(progress.Doing, 300)));
        await using var reader = await command.ExecuteReaderAsync(ct);
        if (!await reader.ReadAsync(ct)) return Holding.Lost;
        if (hasMoved) database.Tell(told);
        return reader.GetBoolean(0) ? Holding.CancelAsked : Holding.Ours;
    }

    /// <summary>Adds lines to the log of a run that is ours; beyond <see cref="JobLogLine.MostLines"/> they are left out.</summary>
    public async Task Write(ClaimedRun run, IReadOnlyCollection<(DateTimeOffset At, string Text)> lines, CancellationToken ct)
    {
        if (lines.Count == 0) return;
        await using var command = Command($"""
            insert into job_log (run_id, attempt, at, text)
            select @id, @attempt, l.at, l.text from unnest(@times, @texts) with ordinality as l(at, text, n)
            where exists (select 1 from job_runs where id = @id and epoch = @epoch and state = 'Running')
                and (select count(*) from job_log where run_id = @id) + l.n <= {JobLogLine.MostLines} order by l.n
            """, run.Id, ("epoch", run.Epoch), ("attempt", run.Attempt), ("times", lines.Select(l => l.At.ToUniversalTime()).ToArray()), ("texts", lines.Select(l => Cut(l.Text, JobLogLine.TextLength)!).ToArray()));
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Its end.</summary>
    /// <returns>False when it is not ours any more: nothing was written, and what was done counts for nothing.</returns>
    public Task<bool> End(ClaimedRun run, RunState state, string? result, string? error, CancellationToken ct) => Settle("""
        with ended as (update job_runs set state = @state, ended_at = clock_timestamp(), lease_until = null, result = @result::jsonb, error = @error, doing = null,
                progress = case when @state = 'Succeeded' then 1 else progress end
            where id = @id and epoch = @epoch and state = 'Running' returning 1)
        select pg_notify(@channel, @told) from ended
        """, run, ct, ("state", state.ToString()), ("result", result), ("error", Cut(error, JobRun.ErrorLength)));

    /// <summary>This attempt is over; another one may begin after the wait.</summary>
    /// <param name="counts">Whether it was an attempt at all: one that only made room for the end of its node was none.</param>
    public Task<bool> PutBack(ClaimedRun run, TimeSpan wait, string? error, bool counts, CancellationToken ct) => Settle("""
        with back as (update job_runs set state = 'Queued', due_at = clock_timestamp() + @wait, lease_until = null, error = coalesce(@error, error), attempt = attempt - case when @counts then 0 else 1 end
            where id = @id and epoch = @epoch and state = 'Running' returning 1)
        select pg_notify(@channel, @told) from back
        """, run, ct, ("wait", wait), ("error", Cut(error, JobRun.ErrorLength)), ("counts", counts));

    /// <summary>What is written of runs whose nodes are gone, and of slots that nobody began. Any node may do it, all of them at once too.</summary>
    /// <returns>How many changed.</returns>
    public async Task<int> Sweep(CancellationToken ct)
    {
        var told = Announcement.Of(["jobs"]);
        await using var command = database.Source.CreateCommand("""
            with dead as (select id from job_runs where state = 'Running' and lease_until < clock_timestamp() for update skip locked),
                 missed as (select id from job_runs where state = 'Queued' and attempt = 0 and start_by < clock_timestamp() for update skip locked),
                 freed as (update job_runs r set epoch = epoch + 1, lease_until = null, due_at = clock_timestamp(),
                        state = case when cancel_asked_at is not null then 'Cancelled' when repeatable and attempt < most_attempts then 'Queued' when repeatable then 'Failed' else 'Interrupted' end,
                        ended_at = case when cancel_asked_at is null and repeatable and attempt < most_attempts then null else clock_timestamp() end,
                        error = 'Node ' || node || ' ended in the midst of it, or was cut off from the database.'
                    from dead where r.id = dead.id returning r.id),
                 lost as (update job_runs r set state = 'Missed', ended_at = clock_timestamp(), error = 'Nobody began it in time: no portal was running, or the run before it took too long.'
                    from missed where r.id = missed.id returning r.id),
                 changed as (select id from freed union all select id from lost)
            select count(*)::int, case when count(*) > 0 then pg_notify(@channel, @told) end from changed
            """);
        command.Parameters.AddRange((NpgsqlParameter[])[new("channel", Changes.Channel), new("told", told.Text)]);
        var changed = (int)(await command.ExecuteScalarAsync(ct))!;
        if (changed > 0) database.Tell(told);
        return changed;
    }

    /// <summary>The run that waits longest past its time although it could be begun: none that must be alone with it works.</summary>
    public async Task<OverdueRun?> Overdue(TimeSpan patience, CancellationToken ct)
    {
        await using var command = database.Source.CreateCommand("""
            select kind, subject, due_at from job_runs r where state = 'Queued' and due_at < clock_timestamp() - @patience
                and not exists (select 1 from job_runs w where w.state = 'Running' and w.alone = r.alone) order by due_at limit 1
            """);
        command.Parameters.AddWithValue("patience", patience);
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? new OverdueRun(reader.GetString(0), reader.GetString(1), reader.GetFieldValue<DateTimeOffset>(2)) : null;
    }

    /// <summary>Removes runs that ended so long ago, with their logs.</summary>
    /// <param name="most">At once, so that nobody waits for it.</param>
    /// <returns>How many went.</returns>
    public async Task<int> Forget(TimeSpan age, int most, CancellationToken ct)
    {
        await using var command = database.Source.CreateCommand("""
            delete from job_runs where id in (
                select id from job_runs where queued_at < clock_timestamp() - @age and ended_at < clock_timestamp() - @age order by queued_at limit @most for update skip locked)
            """);
        command.Parameters.AddRange((NpgsqlParameter[])[new("age", age), new("most", most)]);
        return await command.ExecuteNonQueryAsync(ct);
    }

    async Task<bool> Settle(string sql, ClaimedRun run, CancellationToken ct, params (string, object?)[] values)
    {
        var told = Told(run.Id);
        await using var command = Command(sql, run.Id, [("epoch", run.Epoch), ("channel", Changes.Channel), ("told", told.Text), .. values]);
        await using var reader = await command.ExecuteReaderAsync(ct);
        var written = await reader.ReadAsync(ct);
        if (written) database.Tell(told);
        return written;
    }

    NpgsqlCommand Command(string sql, JobRunId id, params (string Name, object? Value)[] values)
    {
        var command = database.Source.CreateCommand(sql);
        command.Parameters.AddWithValue("id", id.Value);
        foreach (var (name, value) in values)
            command.Parameters.Add(value is null ? new NpgsqlParameter(name, name == "progress" ? NpgsqlDbType.Double : NpgsqlDbType.Text) { Value = DBNull.Value } : new NpgsqlParameter(name, value));
        return command;
    }

    static Announcement Told(JobRunId id) => Announcement.Of(["jobs", $"job:{id}"]);

    static string? Cut(string? text, int length) => text is null || text.Length <= length ? text : string.Concat(text.AsSpan(0, length - 1), "…");
}
