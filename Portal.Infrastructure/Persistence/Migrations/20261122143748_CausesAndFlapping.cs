using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Infrastructure.Persistence.Migrations
{
    /// <inheritdoc />
    public partial class CausesAndFlapping : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<Guid>(
                name: "caused_by",
                table: "outages",
                type: "uuid",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "damp_flapping",
                table: "monitors",
                type: "boolean",
                nullable: false,
                defaultValue: true);

            migrationBuilder.AddColumn<Guid[]>(
                name: "depends_on",
                table: "monitors",
                type: "uuid[]",
                nullable: false,
                defaultValueSql: "'{}'");

            migrationBuilder.AddColumn<string>(
                name: "downs",
                table: "monitor_states",
                type: "jsonb",
                nullable: false,
                defaultValueSql: "'[]'");

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "good_since",
                table: "monitor_states",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "unjudged_since",
                table: "monitor_states",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.CreateIndex(
                name: "ix_outages_caused_by",
                table: "outages",
                column: "caused_by",
                filter: "caused_by is not null");

            migrationBuilder.CreateIndex(
                name: "ix_monitors_depends_on",
                table: "monitors",
                column: "depends_on")
                .Annotation("Npgsql:IndexMethod", "gin");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_outages_caused_by",
                table: "outages");

            migrationBuilder.DropIndex(
                name: "ix_monitors_depends_on",
                table: "monitors");

            migrationBuilder.DropColumn(
                name: "caused_by",
                table: "outages");

            migrationBuilder.DropColumn(
                name: "damp_flapping",
                table: "monitors");

            migrationBuilder.DropColumn(
                name: "depends_on",
                table: "monitors");

            migrationBuilder.DropColumn(
                name: "downs",
                table: "monitor_states");

            migrationBuilder.DropColumn(
                name: "good_since",
                table: "monitor_states");

            migrationBuilder.DropColumn(
                name: "unjudged_since",
                table: "monitor_states");
        }
    }
}
