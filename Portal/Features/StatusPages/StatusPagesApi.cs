namespace Portal.Features.StatusPages;

public static class StatusPagesApi
{
    public static void MapStatusPagesApi(this IEndpointRouteBuilder api) { }
}
