using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Infrastructure.Persistence.Migrations
{
    /// <inheritdoc />
    public partial class PublicCharts : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "public_chart",
                table: "monitors",
                type: "character varying(100)",
                maxLength: 100,
                nullable: true);

            // Before, the page showed the monitors of its first components under their names: that stays, unless it was decided before a way down.
            migrationBuilder.Sql("""
                update monitors set public_chart = case
                    when exists (select 1 from settings where key = 'monitors.public-charts') then (select value::jsonb ->> monitors.id::text from settings where key = 'monitors.public-charts')
                    when id in (
                        select m.id from monitors m join components c on c.id = m.component_id left join component_groups g on g.id = c.group_id
                        order by g.id is not null, g.position, g.id, c.position, c.id, m.name collate "C", m.id limit 6)
                    then regexp_replace(name, '\s+', ' ', 'g') end;
                delete from settings where key = 'monitors.public-charts';
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            // Kept for the way up again: what an administrator took off the page must not come back by itself.
            migrationBuilder.Sql("""
                insert into settings (key, value)
                select 'monitors.public-charts', coalesce(jsonb_object_agg(id, public_chart) filter (where public_chart is not null), '{}')::text from monitors
                on conflict (key) do update set value = excluded.value;
                """);

            migrationBuilder.DropColumn(
                name: "public_chart",
                table: "monitors");
        }
    }
}
