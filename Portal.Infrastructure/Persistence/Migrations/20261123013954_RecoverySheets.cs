using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Infrastructure.Persistence.Migrations
{
    /// <inheritdoc />
    public partial class RecoverySheets : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "pending_key",
                table: "backup_stores",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "pending_master_key",
                table: "backup_stores",
                type: "text",
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "pending_key",
                table: "backup_stores");

            migrationBuilder.DropColumn(
                name: "pending_master_key",
                table: "backup_stores");
        }
    }
}
