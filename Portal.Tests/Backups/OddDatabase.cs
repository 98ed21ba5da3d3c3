using Npgsql;
using Portal.Tests.Support;

namespace Portal.Tests.Backups;

/// <summary>A database with everything that backups stumble over: odd names (its own too), partitions, inheritance, large objects, an extension, sequences, views, grants to a role that others lack.</summary>
public sealed class OddDatabase : IAsyncLifetime
{
    static int count;
    string admin = "";

    public string ConnectionString { get; private set; } = "";
    public string Server => admin;
    public string Role { get; } = $"clerk \"é\" {Environment.ProcessId}_{Interlocked.Increment(ref count)}";
    string Name { get; } = $"odd 'n\"a=me\\ {Environment.ProcessId}_{Interlocked.Increment(ref count)}";

    string QuotedRole => $"\"{Role.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    public async Task InitializeAsync()
    {
        admin = await PostgresServer.Empty();
        await Execute(admin, $"create database \"{Name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"");
        ConnectionString = new NpgsqlConnectionStringBuilder(admin) { Database = Name, Pooling = false }.ConnectionString;
        await Execute(ConnectionString, $"""""
            create role {QuotedRole};
            create extension pg_trgm;
            create schema "weird ""schema""";
            create table "weird ""schema"""."weird ""name""" (id bigserial primary key, "col umn" text not null unique, check (length("col umn") > 1));
            insert into "weird ""schema"""."weird ""name""" ("col umn") select 'row ' || g from generate_series(1, 5000) g;
            create index on "weird ""schema"""."weird ""name""" using gin ("col umn" public.gin_trgm_ops);
            create table events (at date not null, what text, primary key (at, what)) partition by range (at);
            create table events_2025 partition of events for values from ('2025-01-01') to ('2026-01-01');
            create table events_2026 partition of events for values from ('2026-01-01') to ('2027-01-01');
            insert into events select date '2025-06-01' + g, 'x' from generate_series(1, 300) g;
            create table parent (id int); create table child (extra text) inherits (parent);
            insert into parent values (1), (2); insert into child values (3, 'c');
            create table "Über" ("select" int references "weird ""schema"""."weird ""name""");
            insert into "Über" values (1), (2), (null);
            create table nothing ();
            create sequence never_called start 100 increment 10;
            create sequence called; select nextval('called'), nextval('called');
            create materialized view counts as select count(*) from events;
            create function twice(int) returns int language sql as 'select $1 * 2';
            grant select, insert on "Über" to {QuotedRole};
            grant usage on schema "weird ""schema""" to {QuotedRole};
            grant execute on function twice(int) to {QuotedRole};
            grant select on events to public;
            alter table parent owner to {QuotedRole};
            select lo_from_bytea(0, decode(repeat('ab', 100000), 'hex')), lo_from_bytea(0, 'small');
            """"");
    }

    public async Task DisposeAsync()
    {
        await Execute(admin, $"drop database if exists \"{Name.Replace("\"", "\"\"", StringComparison.Ordinal)}\" with (force)");
        await Execute(admin, $"drop role if exists {QuotedRole}");
        await PostgresServer.Drop(admin);
    }

    public static async Task<object?> Execute(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 60 };
        return await command.ExecuteScalarAsync();
    }
}
