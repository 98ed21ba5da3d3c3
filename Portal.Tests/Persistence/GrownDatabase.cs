using Npgsql;
using Portal.Domain.Backups;
using Portal.Domain.Incidents;
using Portal.Domain.Jobs;
using Portal.Domain.Maintenance;
using Portal.Domain.Monitoring;
using Portal.Infrastructure.Metrics;
using Portal.Tests.Support;

namespace Portal.Tests.Persistence;

/// <summary>A database after many years: 200,000 incidents, outages, gaps, statuses set by hand, maintenance windows, audit lines, jobs, backups and drills, a week of 200,000 checks of ten monitors, a day of the portal's own figures, and 90 days of hours of a hundred series.</summary>
public sealed class GrownDatabase : IAsyncLifetime
{
    public const int Rows = 200_000;
    public static readonly DateTimeOffset Now = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
    public static readonly IReadOnlyList<string> Large = ["check_results", "incidents", "incident_updates", "incident_effects", "outages", "observation_gaps", "status_overrides", "maintenance_windows", "maintenance_updates", "maintained_components", "audit", "job_runs", "backups", "drills", "metric_points", "metric_minutes", "metric_hours"];
    static readonly IReadOnlyList<string> Whole = [.. Large.Except(["check_results", "metric_points", "metric_minutes", "metric_hours"])];

    readonly TestDatabase database = new();

    public NpgsqlDataSource Source => database.Database.Source;

    /// <summary>From 1, the oldest, to <see cref="Rows"/>; the last five are open. Six hours lie between two of them.</summary>
    public static IncidentId Incident(int number) => new(Id('a', number));

    /// <summary>From 1, the oldest, to <see cref="Rows"/>; the last two are to come or under way. Six hours lie between two of them.</summary>
    public static MaintenanceId Window(int number) => new(Id('5', number));

    /// <summary>From 1, the oldest, to <see cref="Rows"/>: a job, and the drill that it did.</summary>
    public static JobRunId Run(int number) => new(Id('1', number));

    /// <summary>From 1, the oldest, to <see cref="Rows"/>.</summary>
    public static BackupId Backup(int number) => new(Id('9', number));

    /// <summary>From 0 to 9; the third has only backups that were deleted.</summary>
    public static BackupTargetId Target(int number) => new(Id('e', number));

    /// <summary>From 0 to 9.</summary>
    public static MonitorId Monitor(int number) => new(Id('b', number));

    // Ids rise with time, as those of the domain do.
    static Guid Id(char kind, int number) => new($"{kind}0000000-0000-7000-8000-{number:x12}");

    static string SqlId(char kind, string number) => $"('{kind}0000000-0000-7000-8000-' || lpad(to_hex({number}), 12, '0'))::uuid";

    public async Task InitializeAsync()
    {
        await database.InitializeAsync();
        var partitions = new Partitions(database.Database);
        for (var month = -3; month <= 0; month++) await partitions.MakeAhead(Now.AddMonths(month), default);
        for (var day = -7; day <= 0; day++) await partitions.MakeAhead(Now.AddDays(day), default);
        await using var connection = await Source.OpenConnectionAsync();
        foreach (var statement in Statements())
        {
            await using var command = new NpgsqlCommand(statement, connection) { CommandTimeout = 60 };
            await command.ExecuteNonQueryAsync();
        }
        foreach (var minute in new[] { 0, 1, 2 }) await new Rollups(database.Database).Make(Now.AddMinutes(minute), e => throw e, default);
        await using var last = new NpgsqlCommand($"vacuum analyze {string.Join(", ", Large)}, components, monitors, monitor_states, metric_series, backup_targets, backup_stores", connection) { CommandTimeout = 60 };
        await last.ExecuteNonQueryAsync();
    }

    public Task DisposeAsync() => database.DisposeAsync();

    static IEnumerable<string> Statements()
    {
        const string now = "timestamptz '2026-03-02 09:00:00+00'";
        var begin = $"{now} - ({Rows} - n) * interval '6 hours' - interval '5 minutes'";
        var end = $"case when n <= {Rows} - 5 then {begin} + interval '40 minutes' end";
        var series = $"from generate_series(1, {Rows}) n";
        var few = "from generate_series(0, 9) n";
        // Rows are made consistent here; checking each reference would take longer than writing them.
        yield return "set session_replication_role = replica; set synchronous_commit = off";
        // The indexes come back as they were: built at once they take a fraction of the time that they take row by row.
        yield return $"create temp table put_off as select indexname, indexdef from pg_indexes where schemaname = 'public' and tablename = any('{{{string.Join(',', Whole)}}}') and indexname not like 'pk!_%' escape '!'";
        yield return "do $$ declare i record; begin for i in select * from put_off loop execute format('drop index %I', i.indexname); end loop; end $$";
        yield return $"update page_versions set changed_at = {now}";
        yield return $"insert into components (id, slug, name, position, created_at, updated_at) select {SqlId('c', "n")}, 'part-' || n, 'Part ' || n, n, {now} - interval '9 years', {now} {few}";
        yield return $"""
            insert into monitors (id, shard, name, kind, target, interval, timeout, component_id, failures_before_down, "window", successes_before_up, impact, expect_status, allow_private, critical, public_chart, built_in, created_at, updated_at)
            select {SqlId('b', "n")}, n, 'Monitor ' || n, 'Http', 'https://example.com/' || n, '30 s', '5 s', {SqlId('c', "n")}, 3, 5, 2, 'MajorOutage', '200-399', false, false, case when n < 6 then 'Part ' || n end, false, {now} - interval '9 years', {now} {few}
            """;
        yield return $"insert into monitor_states (monitor_id, health, since, recent, epoch) select {SqlId('b', "n")}, case n when 0 then 'Down' else 'Up' end, {now} - interval '1 hour', '[]', 1 {few}";
        yield return $"""
            insert into check_results (monitor_id, at, milliseconds, outcome, status_code, node, epoch)
            select {SqlId('b', "n % 10")}, {now} - (({Rows} - n) / 10 + 1) * interval '30 seconds', 40 + n % 50, case when n % 500 = 0 then 1 else 0 end, 200, 'node-a', 1 {series}
            """;
        yield return $"""
            insert into incidents (id, title, severity, impact, status, started_at, created_at, updated_at, resolved_at)
            select {SqlId('a', "n")}, 'Trouble number ' || n, 'P' || n % 4, case when n % 3 = 0 then 'Minor' else 'Major' end, case when n <= {Rows} - 5 then 'Resolved' else 'Investigating' end, {begin}, {begin}, {begin}, {end} {series}
            """;
        yield return $"""
            insert into incident_updates (id, incident_id, status, body, visibility, affected, author, created_at, updated_at, revisions)
            select {SqlId('d', "n")}, {SqlId('a', "n")}, 'Investigating', 'We are looking into it, and write again within the hour.', 'Public', '[]', 'Bob', {begin}, {begin}, '[]' {series}
            """;
        yield return $"""
            insert into incident_effects (id, incident_id, component_id, status, started_at, ended_at)
            select {SqlId('e', "n")}, {SqlId('a', "n")}, {SqlId('c', "n % 10")}, 'PartialOutage', {begin}, {end} {series}
            """;
        yield return $"""
            insert into outages (id, monitor_id, monitor_name, component_id, status, cause, started_at, ended_at, earliest_from, earliest_to, evidence)
            select {SqlId('f', "n")}, {SqlId('b', "n % 10")}, 'Monitor', {SqlId('c', "n % 10")}, 'MajorOutage', 'No answer.', {begin}, {end}, {begin}, {end}, '[]' {series}
            """;
        yield return $"""
            insert into observation_gaps (id, monitor_id, component_id, started_at, ended_at, reason)
            select {SqlId('9', "n")}, {SqlId('b', "n % 10")}, {SqlId('c', "n % 10")}, {begin}, {end}, 'Paused.' {series}
            """;
        yield return $"""
            insert into status_overrides (id, component_id, status, by, started_at, ended_at)
            select {SqlId('7', "n")}, {SqlId('c', "n % 10")}, 'DegradedPerformance', 'Alice', {begin}, {begin} + interval '20 minutes' {series}
            """;
        yield return $"""
            insert into maintenance_windows (id, title, message, starts_at, ends_at, zone, verify_for, completed_at, created_by, created_at, updated_at, sequence)
            select {SqlId('5', "n")}, 'Work number ' || n, 'Some requests fail for a few minutes.', {begin} + interval '1 hour', {begin} + interval '3 hours', 'UTC', '15 min',
                case when n % 3 = 0 then {begin} + interval '2 hours' end, 'Bob', {begin} - interval '1 day', {begin} - interval '1 day', 0 {series}
            """;
        yield return $"""
            insert into maintained_components (id, window_id, component_id, added_at)
            select {SqlId('4', "n")}, {SqlId('5', "n")}, {SqlId('c', "n % 10")}, {begin} - interval '1 day' {series}
            """;
        yield return $"""
            insert into maintenance_updates (id, window_id, status, body, visibility, author, created_at)
            select {SqlId('3', "n")}, {SqlId('5', "n")}, 'InProgress', 'Half of it is done.', 'Public', 'Bob', {begin} + interval '90 minutes' {series}
            """;
        yield return $"""
            insert into audit (id, at, actor_kind, actor_name, action, subject, summary)
            select {SqlId('8', "n")}, {begin}, 'Person', 'Bob', case when n % 50 = 0 then 'incident.updated' else 'session.started' end, 'x' || n, 'Something was done.' {series}
            """;
        yield return $"insert into backup_targets (id, name, kind, place, created_at, has_canary) select {SqlId('e', "n")}, 'shop-' || n, 'Database', 'db:5432/shop', {now}, false {few}";
        yield return $$"""insert into backup_stores (id, name, place, is_configured, key_id, data_key, created_at) select {{SqlId('f', "0")}}, 'Disk', '{"folder":"/backups"}', true, {{SqlId('f', "0")}}, '\x00', {{now}}""";
        yield return $$"""
            insert into job_runs (id, kind, subject, arguments, requested_by, queued_at, due_at, most_attempts, repeatable, state, attempt, epoch, started_at, ended_at)
            select {{SqlId('1', "n")}}, case n % 3 when 0 then 'backup' when 1 then 'drill' else 'database-check' end, 'shop', '{}', 'Portal', {{begin}}, {{begin}}, 3, true, case n % 1000 when 1 then 'Failed' else 'Succeeded' end, 1, 1, {{begin}}, {{begin}} + interval '1 minute' {{series}}
            """;
        yield return $"""
            insert into backups (id, target_id, store_id, run_id, state, kind, started_at, finished_at, at, plain_bytes, stored_bytes, tables, rows, is_pinned, is_gone)
            select {SqlId('9', "n")}, {SqlId('e', "n % 10")}, {SqlId('f', "0")}, {SqlId('1', "n")}, case n % 10 when 3 then 'Deleted' else 'Kept' end, 'Database', {begin}, {begin}, {begin}, 1000, 100, 10, 1000, false, true {series}
            """;
        yield return $"""
            insert into drills (id, scenario, target_id, target_name, requested_by, started_at, ended_at, outcome, recovery_objective, loss_objective, is_loss_by_canary, lessons, writer_ids)
            select {SqlId('1', "n")}, 'DatabaseLost', {SqlId('e', "n % 10")}, 'shop', 'Portal', {begin}, {begin}, case n % 100 when 0 then 'Failed' else 'Passed' end, interval '1 hour', interval '15 minutes', false, '', array[]::uuid[] {series}
            """;
        yield return "do $$ declare i record; begin for i in select * from put_off loop execute i.indexdef; end loop; end $$";
        yield return $"insert into rollups_due (width, at, ready_at) select distinct 0, date_trunc('minute', at), {now} from check_results";
        // A node's twenty series over a day, and those of a thousand starts before it.
        yield return $"""
            insert into metric_series (id, name, labels, unit, kind, first_at, seen_at)
            select {SqlId('2', "n")}, case n % 20 when 1 then 'portal.request.time' when 2 then 'portal.requests' else 'portal.other.' || n % 20 end, jsonb_build_object('node', 'node-' || n / 20, 'status', '2xx'), '', n % 3,
                {now} - (n / 20 + 1) * interval '1 day', {now} - (n / 20) * interval '1 day' from generate_series(0, 19999) n
            """;
        yield return $"""
            insert into metric_points (series_id, at, count, sum, min, max, histogram)
            select {SqlId('2', "n % 20")}, {now} - (n / 20 + 1) * interval '10 seconds', 1, 5, null, null, null from generate_series(0, {Rows} - 1) n
            """;
        yield return $"insert into rollups_due (width, at, ready_at) select distinct 3, date_trunc('minute', at), {now} from metric_points";
        // Of ten monitors the last week is rolled up; before it, and of ninety others, there are hours only.
        yield return $"""
            insert into metric_hours (series_id, at, count, failed, sum, min, max, histogram)
            select {SqlId('b', "n % 100")}, {now} - (8 * 24 + n / 100) * interval '1 hour', 120, 0, 7800, 40, 90, array[265::bigint << 40 | 60, 285::bigint << 40 | 60] from generate_series(0, {Rows} - 1) n
            """;
    }
}
