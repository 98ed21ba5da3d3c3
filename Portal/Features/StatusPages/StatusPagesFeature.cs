namespace Portal.Features.StatusPages;

public static class StatusPagesFeature
{
    public static IServiceCollection AddStatusPages(this IServiceCollection services) => services
        .AddSingleton<ComponentStatuses>()
        .AddSingleton<AddComponent>()
        .AddSingleton<ChangeComponent>()
        .AddSingleton<DeleteComponent>()
        .AddSingleton<ArrangeComponents>()
        .AddSingleton<AddComponentGroup>()
        .AddSingleton<RenameComponentGroup>()
        .AddSingleton<DeleteComponentGroup>();
}
