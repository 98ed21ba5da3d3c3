namespace Portal.Features.Access;

public static class AccessApi
{
    public static void MapAccessApi(this IEndpointRouteBuilder api) { }
}
