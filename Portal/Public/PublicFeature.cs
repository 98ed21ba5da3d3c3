namespace Portal.Public;

public static class PublicFeature
{
    public static IServiceCollection AddPublicPages(this IServiceCollection services) => services;

    /// <summary>Stands first: published bytes leave before authentication, sessions and logs that need the database.</summary>
    public static IApplicationBuilder UsePublished(this IApplicationBuilder app) => app;

    public static IEndpointRouteBuilder MapPublicPages(this IEndpointRouteBuilder app) => app;
}
