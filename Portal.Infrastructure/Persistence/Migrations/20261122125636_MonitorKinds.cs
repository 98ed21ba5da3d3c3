using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Infrastructure.Persistence.Migrations
{
    /// <inheritdoc />
    public partial class MonitorKinds : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "options",
                table: "monitors",
                type: "jsonb",
                nullable: false,
                defaultValueSql: "'{}'");

            migrationBuilder.AddColumn<byte[]>(
                name: "sealed_secrets",
                table: "monitors",
                type: "bytea",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "secret_names",
                table: "monitors",
                type: "jsonb",
                nullable: false,
                defaultValueSql: "'[]'");

            migrationBuilder.CreateTable(
                name: "heartbeats",
                columns: table => new
                {
                    monitor_id = table.Column<Guid>(type: "uuid", nullable: false),
                    key_hash = table.Column<byte[]>(type: "bytea", nullable: false),
                    judged_from = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    last_ping_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    started_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    failed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    fail_detail = table.Column<string>(type: "character varying(300)", maxLength: 300, nullable: true),
                    last_duration = table.Column<TimeSpan>(type: "interval", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_heartbeats", x => x.monitor_id);
                    table.ForeignKey(
                        name: "fk_heartbeats_monitors_monitor_id",
                        column: x => x.monitor_id,
                        principalTable: "monitors",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_heartbeats_key_hash",
                table: "heartbeats",
                column: "key_hash",
                unique: true);

            // What an older version could not run comes back, and looks as it did. Whoever was deleted by that version stays deleted.
            migrationBuilder.Sql("""
                update monitors m set options = e -> 'monitor' -> 'options'
                from settings s, jsonb_array_elements(s.value::jsonb) e
                where s.key = 'monitors.kinds' and (e ->> 'stayed')::boolean and m.id::text = e -> 'monitor' ->> 'id' and m.target = e -> 'monitor' ->> 'target';
                insert into monitors select r.* from settings s cross join jsonb_array_elements(s.value::jsonb) e
                    cross join lateral jsonb_populate_record(null::monitors, (e -> 'monitor') || jsonb_build_object('component_id', (select c.id from components c where c.id::text = e -> 'monitor' ->> 'component_id'))) r
                where s.key = 'monitors.kinds' and not (e ->> 'stayed')::boolean;
                insert into monitor_states select r.* from settings s cross join jsonb_array_elements(s.value::jsonb) e cross join lateral jsonb_populate_record(null::monitor_states, nullif(e -> 'state', 'null')) r
                where s.key = 'monitors.kinds' and not (e ->> 'stayed')::boolean and r.monitor_id is not null;
                insert into heartbeats select r.* from settings s cross join jsonb_array_elements(s.value::jsonb) e cross join lateral jsonb_populate_record(null::heartbeats, nullif(e -> 'heartbeat', 'null')) r
                where s.key = 'monitors.kinds' and r.monitor_id is not null;
                delete from settings where key = 'monitors.kinds';
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            // An older version cannot read the other kinds, nor send what these requests need: they are set aside, whole, for the way up again.
            // One that only expects more of the same request stays and is judged by its status alone.
            migrationBuilder.Sql("""
                update monitors set kind = 'Http', target = 'self:/health/parts/live-hub', options = '{}' where built_in and kind = 'Websocket';
                create temporary table set_aside on commit drop as
                    select id, kind = 'Http' and sealed_secrets is null and not options ?| array['method', 'followRedirects'] as stays
                    from monitors where kind <> 'Http' or options <> '{}' or sealed_secrets is not null;
                insert into settings (key, value)
                select 'monitors.kinds', jsonb_agg(jsonb_build_object('stayed', a.stays, 'monitor', to_jsonb(m), 'heartbeat', to_jsonb(h),
                    'state', to_jsonb(s) || jsonb_build_object('health', 'Unknown', 'recent', '[]'::jsonb)))::text
                from set_aside a join monitors m using (id) left join monitor_states s on s.monitor_id = m.id left join heartbeats h on h.monitor_id = m.id
                having count(*) > 0
                on conflict (key) do update set value = excluded.value;
                update outages set ended_at = greatest(started_at, now()), earliest_to = greatest(started_at, now()) where ended_at is null and monitor_id in (select id from set_aside where not stays);
                update observation_gaps set ended_at = greatest(started_at, now()) where ended_at is null and monitor_id in (select id from set_aside where not stays);
                delete from monitors where id in (select id from set_aside where not stays);
                drop table set_aside;
                """);

            migrationBuilder.DropTable(
                name: "heartbeats");

            migrationBuilder.DropColumn(
                name: "options",
                table: "monitors");

            migrationBuilder.DropColumn(
                name: "sealed_secrets",
                table: "monitors");

            migrationBuilder.DropColumn(
                name: "secret_names",
                table: "monitors");
        }
    }
}
