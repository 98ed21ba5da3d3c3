using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Infrastructure.Persistence.Migrations
{
    /// <inheritdoc />
    public partial class HeardAndEnded : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "mapping",
                table: "services",
                type: "jsonb",
                nullable: true);

            migrationBuilder.AddColumn<byte[]>(
                name: "sealed_sentry_secret",
                table: "services",
                type: "bytea",
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "ended_at",
                table: "alerts",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "heard_messages",
                columns: table => new
                {
                    hash = table.Column<byte[]>(type: "bytea", nullable: false),
                    heard_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_heard_messages", x => x.hash);
                });

            migrationBuilder.CreateIndex(
                name: "ix_alerts_ended",
                table: "alerts",
                columns: new[] { "service_id", "key", "ended_at" },
                filter: "ended_at is not null");

            migrationBuilder.CreateIndex(
                name: "ix_alerts_hushed",
                table: "alerts",
                columns: new[] { "triggered_at", "id" },
                filter: "state <> 'Resolved' and quiet in ('Silenced', 'Maintenance')");

            migrationBuilder.CreateIndex(
                name: "ix_alerts_triggered_at_id",
                table: "alerts",
                columns: new[] { "triggered_at", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_heard_messages_heard_at",
                table: "heard_messages",
                column: "heard_at");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "heard_messages");

            migrationBuilder.DropIndex(
                name: "ix_alerts_ended",
                table: "alerts");

            migrationBuilder.DropIndex(
                name: "ix_alerts_hushed",
                table: "alerts");

            migrationBuilder.DropIndex(
                name: "ix_alerts_triggered_at_id",
                table: "alerts");

            migrationBuilder.DropColumn(
                name: "mapping",
                table: "services");

            migrationBuilder.DropColumn(
                name: "sealed_sentry_secret",
                table: "services");

            migrationBuilder.DropColumn(
                name: "ended_at",
                table: "alerts");
        }
    }
}
