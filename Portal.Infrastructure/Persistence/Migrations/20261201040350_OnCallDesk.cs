using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Infrastructure.Persistence.Migrations
{
    /// <inheritdoc />
    public partial class OnCallDesk : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<int>(
                name: "keeps_ahead",
                table: "rotations",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "fired",
                table: "escalations",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.CreateTable(
                name: "shift_settings",
                columns: table => new
                {
                    person_id = table.Column<Guid>(type: "uuid", nullable: false),
                    tells_of_shifts = table.Column<bool>(type: "boolean", nullable: false),
                    calendar_hash = table.Column<byte[]>(type: "bytea", nullable: true),
                    calendar_made_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    xmin = table.Column<uint>(type: "xid", rowVersion: true, nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_shift_settings", x => x.person_id);
                    table.ForeignKey(
                        name: "fk_shift_settings_people_person_id",
                        column: x => x.person_id,
                        principalTable: "people",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_shift_settings_calendar_hash",
                table: "shift_settings",
                column: "calendar_hash",
                unique: true,
                filter: "calendar_hash is not null");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "shift_settings");

            migrationBuilder.DropColumn(
                name: "keeps_ahead",
                table: "rotations");

            migrationBuilder.DropColumn(
                name: "fired",
                table: "escalations");
        }
    }
}
