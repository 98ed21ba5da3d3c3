using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Infrastructure.Persistence.Migrations
{
    /// <inheritdoc />
    public partial class DeliveryGathering : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "gathering_since",
                table: "deliveries",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.CreateIndex(
                name: "ix_deliveries_address_sent_at",
                table: "deliveries",
                columns: new[] { "address", "sent_at" });

            migrationBuilder.CreateIndex(
                name: "ix_deliveries_instead_of",
                table: "deliveries",
                column: "instead_of",
                filter: "instead_of is not null");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_deliveries_address_sent_at",
                table: "deliveries");

            migrationBuilder.DropIndex(
                name: "ix_deliveries_instead_of",
                table: "deliveries");

            migrationBuilder.DropColumn(
                name: "gathering_since",
                table: "deliveries");
        }
    }
}
