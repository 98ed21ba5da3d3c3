using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Portal.Infrastructure.Persistence.Migrations
{
    /// <inheritdoc />
    public partial class ProbePlaces : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<bool>(
                name: "from_here",
                table: "monitors",
                type: "boolean",
                nullable: false,
                defaultValue: true);

            migrationBuilder.AddColumn<Guid[]>(
                name: "places",
                table: "monitors",
                type: "uuid[]",
                nullable: false,
                defaultValueSql: "'{}'");

            migrationBuilder.AddColumn<int>(
                name: "places_before_down",
                table: "monitors",
                type: "integer",
                nullable: false,
                defaultValue: 1);

            migrationBuilder.AddColumn<string>(
                name: "places",
                table: "monitor_states",
                type: "jsonb",
                nullable: false,
                defaultValueSql: "'[]'");

            migrationBuilder.CreateTable(
                name: "heard_checks",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    shard = table.Column<int>(type: "integer", nullable: false),
                    monitor_id = table.Column<Guid>(type: "uuid", nullable: false),
                    place_id = table.Column<Guid>(type: "uuid", nullable: false),
                    place_name = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    milliseconds = table.Column<float>(type: "real", nullable: false),
                    outcome = table.Column<short>(type: "smallint", maxLength: 30, nullable: false),
                    status_code = table.Column<short>(type: "smallint", nullable: true),
                    detail = table.Column<string>(type: "character varying(500)", maxLength: 500, nullable: true),
                    look = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_heard_checks", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "probe_places",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    name = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    last_seen_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    program_version = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: true),
                    clock_ahead = table.Column<TimeSpan>(type: "interval", nullable: false),
                    dropped = table.Column<long>(type: "bigint", nullable: false),
                    session = table.Column<Guid>(type: "uuid", nullable: false),
                    last_sequence = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_probe_places", x => x.id);
                });

            migrationBuilder.CreateIndex(
                name: "ix_monitors_places",
                table: "monitors",
                column: "places")
                .Annotation("Npgsql:IndexMethod", "gin");

            migrationBuilder.CreateIndex(
                name: "ix_heard_checks_shard",
                table: "heard_checks",
                column: "shard");

            migrationBuilder.CreateIndex(
                name: "ix_probe_places_name",
                table: "probe_places",
                column: "name",
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "heard_checks");

            migrationBuilder.DropTable(
                name: "probe_places");

            migrationBuilder.DropIndex(
                name: "ix_monitors_places",
                table: "monitors");

            migrationBuilder.DropColumn(
                name: "from_here",
                table: "monitors");

            migrationBuilder.DropColumn(
                name: "places",
                table: "monitors");

            migrationBuilder.DropColumn(
                name: "places_before_down",
                table: "monitors");

            migrationBuilder.DropColumn(
                name: "places",
                table: "monitor_states");
        }
    }
}
