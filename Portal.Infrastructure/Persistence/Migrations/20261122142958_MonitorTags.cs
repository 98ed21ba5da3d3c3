using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Infrastructure.Persistence.Migrations
{
    /// <inheritdoc />
    public partial class MonitorTags : Migration
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

            migrationBuilder.CreateIndex(
                name: "ix_monitors_tags",
                table: "monitors",
                column: "tags")
                .Annotation("Npgsql:IndexMethod", "gin");

            // What an older version knew nothing of comes back.
            migrationBuilder.Sql("""
                update monitors m set tags = array(select jsonb_array_elements_text(t.value)) from settings s, jsonb_each(s.value::jsonb) t where s.key = 'monitors.tags' and m.id::text = t.key;
                delete from settings where key = 'monitors.tags';
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("""
                insert into settings (key, value) select 'monitors.tags', jsonb_object_agg(id, to_jsonb(tags))::text from monitors where tags <> '{}' having count(*) > 0
                on conflict (key) do update set value = excluded.value;
                """);

            migrationBuilder.DropIndex(
                name: "ix_monitors_tags",
                table: "monitors");

            migrationBuilder.DropColumn(
                name: "tags",
                table: "monitors");
        }
    }
}
