using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Infrastructure.Persistence.Migrations
{
    /// <inheritdoc />
    public partial class Rollups : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // What is there becomes the rest of the partitioned table, without being copied; it is deleted as it gets old.
            migrationBuilder.Sql("""
                alter table check_results rename to check_results_rest;
                alter table check_results_rest rename constraint pk_check_results to pk_check_results_rest;
                alter index ix_check_results_at rename to ix_check_results_rest_at;
                create table check_results (like check_results_rest including defaults) partition by range (at);
                alter table check_results add constraint pk_check_results primary key (monitor_id, at);
                create index ix_check_results_at on check_results using brin (at);
                alter table check_results attach partition check_results_rest default;
                """);

            foreach (var table in new[] { "metric_minutes", "metric_hours", "metric_days" })
            {
                var partitioned = table != "metric_days";
                migrationBuilder.Sql($"""
                    create table {table} (
                        series_id uuid not null, at timestamptz not null, count bigint not null, failed bigint not null,
                        sum double precision not null, min double precision not null, max double precision not null, histogram bigint[] not null,
                        constraint pk_{table} primary key (series_id, at)) {(partitioned ? "partition by range (at)" : "")};
                    create index ix_{table}_at on {table} using brin (at);
                    {(partitioned ? $"create table {table}_rest partition of {table} default;" : "")}
                    """);
            }

            migrationBuilder.Sql("""
                create table rollups_due (width smallint not null, at timestamptz not null, ready_at timestamptz not null, constraint pk_rollups_due primary key (width, at));
                insert into rollups_due (width, at, ready_at) select distinct 0, date_trunc('minute', at), now() from check_results;
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) =>
            migrationBuilder.Sql("""
                create table check_results_whole (like check_results including defaults);
                insert into check_results_whole select * from check_results;
                drop table check_results;
                alter table check_results_whole rename to check_results;
                alter table check_results add constraint pk_check_results primary key (monitor_id, at);
                create index ix_check_results_at on check_results using brin (at);
                drop table metric_minutes, metric_hours, metric_days, rollups_due;
                """);
    }
}
