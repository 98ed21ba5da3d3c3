using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Infrastructure.Persistence.Migrations
{
    /// <inheritdoc />
    public partial class ListIndexes : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_incidents_started_at",
                table: "incidents");

            migrationBuilder.CreateIndex(
                name: "ix_outages_ended_at",
                table: "outages",
                column: "ended_at");

            migrationBuilder.CreateIndex(
                name: "ix_observation_gaps_ended_at",
                table: "observation_gaps",
                column: "ended_at");

            migrationBuilder.CreateIndex(
                name: "ix_incidents_resolved_at",
                table: "incidents",
                column: "resolved_at");

            migrationBuilder.CreateIndex(
                name: "ix_incidents_started_at_id",
                table: "incidents",
                columns: new[] { "started_at", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_incident_effects_ended_at",
                table: "incident_effects",
                column: "ended_at");

            migrationBuilder.CreateIndex(
                name: "ix_incident_effects_incident_id",
                table: "incident_effects",
                column: "incident_id");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_outages_ended_at",
                table: "outages");

            migrationBuilder.DropIndex(
                name: "ix_observation_gaps_ended_at",
                table: "observation_gaps");

            migrationBuilder.DropIndex(
                name: "ix_incidents_resolved_at",
                table: "incidents");

            migrationBuilder.DropIndex(
                name: "ix_incidents_started_at_id",
                table: "incidents");

            migrationBuilder.DropIndex(
                name: "ix_incident_effects_ended_at",
                table: "incident_effects");

            migrationBuilder.DropIndex(
                name: "ix_incident_effects_incident_id",
                table: "incident_effects");

            migrationBuilder.CreateIndex(
                name: "ix_incidents_started_at",
                table: "incidents",
                column: "started_at");
        }
    }
}
