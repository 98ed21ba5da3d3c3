using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portal.Infrastructure.Persistence.Migrations
{
    /// <inheritdoc />
    public partial class MetricPoints : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder) =>
            migrationBuilder.Sql("""
                create table metric_series (
                    id uuid not null, name text not null, labels jsonb not null, unit text not null, kind smallint not null, first_at timestamptz not null, seen_at timestamptz not null,
                    constraint pk_metric_series primary key (id));
                create unique index ix_metric_series_name_labels on metric_series (name, labels);
                create index ix_metric_series_name_seen_at on metric_series (name, seen_at);
                create table metric_points (
                    series_id uuid not null, at timestamptz not null, count bigint not null, sum double precision not null, min double precision, max double precision, histogram bigint[],
                    constraint pk_metric_points primary key (series_id, at)) partition by range (at);
                create index ix_metric_points_at on metric_points using brin (at);
                create table metric_points_rest partition of metric_points default;
                """);

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) =>
            migrationBuilder.Sql("""
                delete from rollups_due where width = 3;
                delete from metric_minutes where series_id in (select id from metric_series);
                delete from metric_hours where series_id in (select id from metric_series);
                delete from metric_days where series_id in (select id from metric_series);
                drop table metric_points, metric_series;
                """);
    }
}
