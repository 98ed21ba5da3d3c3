using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Infrastructure.Persistence.Migrations
{
    /// <inheritdoc />
    public partial class Maintenance : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "maintenance_windows",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    title = table.Column<string>(type: "character varying(200)", maxLength: 200, nullable: false),
                    message = table.Column<string>(type: "character varying(10000)", maxLength: 10000, nullable: false),
                    starts_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    ends_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    zone = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false),
                    verify_for = table.Column<TimeSpan>(type: "interval", nullable: false),
                    verifying_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    completed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    cancelled_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    created_by = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    updated_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    sequence = table.Column<int>(type: "integer", nullable: false),
                    xmin = table.Column<uint>(type: "xid", rowVersion: true, nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_maintenance_windows", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "maintained_components",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    window_id = table.Column<Guid>(type: "uuid", nullable: false),
                    component_id = table.Column<Guid>(type: "uuid", nullable: false),
                    added_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    removed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_maintained_components", x => x.id);
                    table.ForeignKey(
                        name: "fk_maintained_components_components_component_id",
                        column: x => x.component_id,
                        principalTable: "components",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "fk_maintained_components_maintenance_windows_window_id",
                        column: x => x.window_id,
                        principalTable: "maintenance_windows",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "maintenance_updates",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    window_id = table.Column<Guid>(type: "uuid", nullable: false),
                    status = table.Column<string>(type: "character varying(30)", maxLength: 30, nullable: false),
                    body = table.Column<string>(type: "character varying(10000)", maxLength: 10000, nullable: false),
                    visibility = table.Column<string>(type: "character varying(30)", maxLength: 30, nullable: false),
                    author = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_maintenance_updates", x => x.id);
                    table.ForeignKey(
                        name: "fk_maintenance_updates_maintenance_windows_window_id",
                        column: x => x.window_id,
                        principalTable: "maintenance_windows",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_maintained_components_component_id",
                table: "maintained_components",
                column: "component_id");

            migrationBuilder.CreateIndex(
                name: "ix_maintained_components_named",
                table: "maintained_components",
                columns: new[] { "window_id", "component_id" },
                unique: true,
                filter: "removed_at is null");

            migrationBuilder.CreateIndex(
                name: "ix_maintained_components_window_id",
                table: "maintained_components",
                column: "window_id");

            migrationBuilder.CreateIndex(
                name: "ix_maintenance_updates_window_id_created_at",
                table: "maintenance_updates",
                columns: new[] { "window_id", "created_at" });

            migrationBuilder.CreateIndex(
                name: "ix_maintenance_windows_ends_at",
                table: "maintenance_windows",
                column: "ends_at");

            migrationBuilder.CreateIndex(
                name: "ix_maintenance_windows_starts_at_id",
                table: "maintenance_windows",
                columns: new[] { "starts_at", "id" });

            // What a way down put aside comes back; a component that was deleted meanwhile does not.
            migrationBuilder.Sql("""
                insert into maintenance_windows select w.* from settings s, jsonb_populate_recordset(null::maintenance_windows, s.value::jsonb -> 'windows') w where s.key = 'maintenance.kept';
                insert into maintained_components select c.* from settings s, jsonb_populate_recordset(null::maintained_components, s.value::jsonb -> 'components') c
                    where s.key = 'maintenance.kept' and exists (select 1 from components where id = c.component_id);
                insert into maintenance_updates select u.* from settings s, jsonb_populate_recordset(null::maintenance_updates, s.value::jsonb -> 'updates') u where s.key = 'maintenance.kept';
                delete from settings where key = 'maintenance.kept';
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            // Kept for the way up again: what was announced to customers must not be forgotten.
            migrationBuilder.Sql("""
                insert into settings (key, value)
                select 'maintenance.kept', jsonb_build_object(
                    'windows', (select coalesce(jsonb_agg(to_jsonb(w)), '[]') from maintenance_windows w),
                    'components', (select coalesce(jsonb_agg(to_jsonb(c)), '[]') from maintained_components c),
                    'updates', (select coalesce(jsonb_agg(to_jsonb(u)), '[]') from maintenance_updates u))::text
                where exists (select 1 from maintenance_windows)
                on conflict (key) do update set value = excluded.value;
                """);

            migrationBuilder.DropTable(
                name: "maintained_components");

            migrationBuilder.DropTable(
                name: "maintenance_updates");

            migrationBuilder.DropTable(
                name: "maintenance_windows");
        }
    }
}
