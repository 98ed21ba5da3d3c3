namespace Portal.Features.Monitoring;

public static class MonitoringApi
{
    public static void MapMonitoringApi(this IEndpointRouteBuilder api) { }
}
