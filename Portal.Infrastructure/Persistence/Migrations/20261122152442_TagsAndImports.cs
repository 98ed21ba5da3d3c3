using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Infrastructure.Persistence.Migrations
{
    /// <inheritdoc />
    public partial class TagsAndImports : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string[]>(
                name: "tags",
                table: "monitors",
                type: "text[]",
                nullable: false,
                defaultValueSql: "'{}'");

            migrationBuilder.CreateTable(
                name: "monitor_imports",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    by = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    file_name = table.Column<string>(type: "character varying(200)", maxLength: 200, nullable: false),
                    format = table.Column<string>(type: "character varying(30)", maxLength: 30, nullable: false),
                    fingerprint = table.Column<byte[]>(type: "bytea", nullable: false),
                    created = table.Column<int>(type: "integer", nullable: false),
                    changed = table.Column<int>(type: "integer", nullable: false),
                    undone_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    undone_by = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_monitor_imports", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "imported_monitors",
                columns: table => new
                {
                    import_id = table.Column<Guid>(type: "uuid", nullable: false),
                    monitor_id = table.Column<Guid>(type: "uuid", nullable: false),
                    name = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    before = table.Column<string>(type: "jsonb", nullable: true),
                    was_paused = table.Column<bool>(type: "boolean", nullable: false),
                    secret_names = table.Column<string>(type: "jsonb", nullable: false),
                    sealed_secrets = table.Column<byte[]>(type: "bytea", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_imported_monitors", x => new { x.import_id, x.monitor_id });
                    table.ForeignKey(
                        name: "fk_imported_monitors_monitor_imports_import_id",
                        column: x => x.import_id,
                        principalTable: "monitor_imports",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_monitors_tags",
                table: "monitors",
                column: "tags")
                .Annotation("Npgsql:IndexMethod", "gin");

            migrationBuilder.CreateIndex(
                name: "ix_monitor_imports_fingerprint",
                table: "monitor_imports",
                column: "fingerprint");

            // What an older version knew nothing of comes back.
            migrationBuilder.Sql("""
                update monitors m set tags = array(select jsonb_array_elements_text(t.value)) from settings s, jsonb_each(s.value::jsonb) t where s.key = 'monitors.tags' and m.id::text = t.key;
                insert into monitor_imports select r.* from settings s cross join jsonb_populate_recordset(null::monitor_imports, s.value::jsonb -> 'imports') r where s.key = 'monitors.imports';
                insert into imported_monitors select r.* from settings s cross join jsonb_populate_recordset(null::imported_monitors, s.value::jsonb -> 'monitors') r where s.key = 'monitors.imports';
                delete from settings where key in ('monitors.tags', 'monitors.imports');
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("""
                insert into settings (key, value) select 'monitors.tags', jsonb_object_agg(id, to_jsonb(tags))::text from monitors where tags <> '{}' having count(*) > 0
                on conflict (key) do update set value = excluded.value;
                insert into settings (key, value)
                select 'monitors.imports', jsonb_build_object('imports', (select jsonb_agg(to_jsonb(i)) from monitor_imports i), 'monitors', (select coalesce(jsonb_agg(to_jsonb(m)), '[]') from imported_monitors m))::text
                where exists (select 1 from monitor_imports)
                on conflict (key) do update set value = excluded.value;
                """);

            migrationBuilder.DropTable(
                name: "imported_monitors");

            migrationBuilder.DropTable(
                name: "monitor_imports");

            migrationBuilder.DropIndex(
                name: "ix_monitors_tags",
                table: "monitors");

            migrationBuilder.DropColumn(
                name: "tags",
                table: "monitors");
        }
    }
}
