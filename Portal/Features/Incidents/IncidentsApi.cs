namespace Portal.Features.Incidents;

public static class IncidentsApi
{
    public static void MapIncidentsApi(this IEndpointRouteBuilder api) { }
}
