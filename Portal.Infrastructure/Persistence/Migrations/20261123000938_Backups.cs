using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Infrastructure.Persistence.Migrations
{
    /// <inheritdoc />
    public partial class Backups : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "backup_stores",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    name = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    place = table.Column<string>(type: "jsonb", nullable: false),
                    is_configured = table.Column<bool>(type: "boolean", nullable: false),
                    secret_key = table.Column<byte[]>(type: "bytea", nullable: true),
                    key_id = table.Column<Guid>(type: "uuid", nullable: false),
                    data_key = table.Column<byte[]>(type: "bytea", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    retired_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    wrapped_key = table.Column<string>(type: "text", nullable: true),
                    wrapped_master_key = table.Column<string>(type: "text", nullable: true),
                    sheet_made_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    sheet_confirmed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    sheet_confirmed_by = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: true),
                    sheet_proof = table.Column<byte[]>(type: "bytea", nullable: true),
                    probed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    problem = table.Column<string>(type: "text", nullable: true),
                    free_bytes = table.Column<long>(type: "bigint", nullable: true),
                    total_bytes = table.Column<long>(type: "bigint", nullable: true),
                    xmin = table.Column<uint>(type: "xid", rowVersion: true, nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_backup_stores", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "backup_targets",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    name = table.Column<string>(type: "character varying(60)", maxLength: 60, nullable: false),
                    kind = table.Column<string>(type: "character varying(30)", maxLength: 30, nullable: false),
                    place = table.Column<string>(type: "character varying(500)", maxLength: 500, nullable: false),
                    connection = table.Column<byte[]>(type: "bytea", nullable: true),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    removed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    xmin = table.Column<uint>(type: "xid", rowVersion: true, nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_backup_targets", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "backup_plans",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    name = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    target_id = table.Column<Guid>(type: "uuid", nullable: false),
                    schedule_id = table.Column<Guid>(type: "uuid", nullable: false),
                    store_ids = table.Column<Guid[]>(type: "uuid[]", nullable: false),
                    gzip_level = table.Column<int>(type: "integer", nullable: false),
                    verify_to = table.Column<string>(type: "character varying(30)", maxLength: 30, nullable: false),
                    retention = table.Column<string>(type: "jsonb", nullable: false),
                    target_loss_minutes = table.Column<int>(type: "integer", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    xmin = table.Column<uint>(type: "xid", rowVersion: true, nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_backup_plans", x => x.id);
                    table.ForeignKey(
                        name: "fk_backup_plans_backup_targets_target_id",
                        column: x => x.target_id,
                        principalTable: "backup_targets",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                    table.ForeignKey(
                        name: "fk_backup_plans_job_schedules_schedule_id",
                        column: x => x.schedule_id,
                        principalTable: "job_schedules",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "backups",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    plan_id = table.Column<Guid>(type: "uuid", nullable: true),
                    target_id = table.Column<Guid>(type: "uuid", nullable: false),
                    store_id = table.Column<Guid>(type: "uuid", nullable: false),
                    run_id = table.Column<Guid>(type: "uuid", nullable: true),
                    state = table.Column<string>(type: "character varying(30)", maxLength: 30, nullable: false),
                    kind = table.Column<string>(type: "character varying(30)", maxLength: 30, nullable: false),
                    started_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    finished_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    plain_bytes = table.Column<long>(type: "bigint", nullable: false),
                    stored_bytes = table.Column<long>(type: "bigint", nullable: false),
                    tables = table.Column<int>(type: "integer", nullable: false),
                    rows = table.Column<long>(type: "bigint", nullable: false),
                    manifest = table.Column<string>(type: "text", nullable: true),
                    checksum_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    archive_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    restored_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    data_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    damage = table.Column<string>(type: "character varying(1000)", maxLength: 1000, nullable: true),
                    held_by = table.Column<Guid>(type: "uuid", nullable: true),
                    is_pinned = table.Column<bool>(type: "boolean", nullable: false),
                    deleted_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    deleted_because = table.Column<string>(type: "character varying(300)", maxLength: 300, nullable: true),
                    is_gone = table.Column<bool>(type: "boolean", nullable: false),
                    xmin = table.Column<uint>(type: "xid", rowVersion: true, nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_backups", x => x.id);
                    table.ForeignKey(
                        name: "fk_backups_backup_plans_plan_id",
                        column: x => x.plan_id,
                        principalTable: "backup_plans",
                        principalColumn: "id",
                        onDelete: ReferentialAction.SetNull);
                    table.ForeignKey(
                        name: "fk_backups_backup_stores_store_id",
                        column: x => x.store_id,
                        principalTable: "backup_stores",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                    table.ForeignKey(
                        name: "fk_backups_backup_targets_target_id",
                        column: x => x.target_id,
                        principalTable: "backup_targets",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "restores",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    backup_id = table.Column<Guid>(type: "uuid", nullable: false),
                    target_id = table.Column<Guid>(type: "uuid", nullable: false),
                    into = table.Column<string>(type: "character varying(500)", maxLength: 500, nullable: false),
                    replaces = table.Column<bool>(type: "boolean", nullable: false),
                    requested_by = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    queued_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    ended_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    kept_as = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: true),
                    compared = table.Column<int>(type: "integer", nullable: false),
                    differences = table.Column<int>(type: "integer", nullable: false),
                    report = table.Column<string>(type: "jsonb", nullable: true),
                    is_settled = table.Column<bool>(type: "boolean", nullable: false),
                    xmin = table.Column<uint>(type: "xid", rowVersion: true, nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_restores", x => x.id);
                    table.ForeignKey(
                        name: "fk_restores_backups_backup_id",
                        column: x => x.backup_id,
                        principalTable: "backups",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateIndex(
                name: "ix_backup_plans_schedule_id",
                table: "backup_plans",
                column: "schedule_id");

            migrationBuilder.CreateIndex(
                name: "ix_backup_plans_target_id",
                table: "backup_plans",
                column: "target_id");

            migrationBuilder.CreateIndex(
                name: "ix_backup_stores_is_configured",
                table: "backup_stores",
                column: "is_configured",
                unique: true,
                filter: "is_configured");

            migrationBuilder.CreateIndex(
                name: "ix_backup_stores_name",
                table: "backup_stores",
                column: "name",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_backup_targets_name",
                table: "backup_targets",
                column: "name",
                unique: true,
                filter: "removed_at is null");

            migrationBuilder.CreateIndex(
                name: "ix_backups_plan_id_store_id_at",
                table: "backups",
                columns: new[] { "plan_id", "store_id", "at" },
                filter: "state = 'Kept'");

            migrationBuilder.CreateIndex(
                name: "ix_backups_run_id",
                table: "backups",
                column: "run_id");

            migrationBuilder.CreateIndex(
                name: "ix_backups_started_at_id",
                table: "backups",
                columns: new[] { "started_at", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_backups_store_id",
                table: "backups",
                column: "store_id");

            migrationBuilder.CreateIndex(
                name: "ix_backups_target_id_started_at_id",
                table: "backups",
                columns: new[] { "target_id", "started_at", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_backups_unsettled",
                table: "backups",
                column: "state",
                filter: "state = 'Writing' or (state = 'Deleted' and not is_gone)");

            migrationBuilder.CreateIndex(
                name: "ix_restores_backup_id",
                table: "restores",
                column: "backup_id");

            migrationBuilder.CreateIndex(
                name: "ix_restores_queued_at_id",
                table: "restores",
                columns: new[] { "queued_at", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_restores_unsettled",
                table: "restores",
                column: "is_settled",
                filter: "not is_settled");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "restores");

            migrationBuilder.DropTable(
                name: "backups");

            migrationBuilder.DropTable(
                name: "backup_plans");

            migrationBuilder.DropTable(
                name: "backup_stores");

            migrationBuilder.DropTable(
                name: "backup_targets");
        }
    }
}
