using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Portal.Features.Access;
using Portal.Features.Incidents;
using Portal.Features.Maintenance;
using Portal.Features.Monitoring;
using Portal.Features.StatusPages;

namespace Portal.Api.Describing;

/// <summary>What a body must hold. The framework takes every field without a default for required, and cannot look into <see cref="Given{T}"/>.</summary>
static class RequestBodies
{
    /// <summary>Without these the request is refused; of a body that is not named here everything may be left out.</summary>
    public static readonly IReadOnlyDictionary<Type, string[]> Needed = new Dictionary<Type, string[]>
    {
        [typeof(StatusPagesApi.NewComponent)] = ["name"],
        [typeof(IncidentsApi.NewIncident)] = ["title", "severity", "message"],
        [typeof(IncidentsApi.NewUpdate)] = ["message"],
        [typeof(IncidentsApi.UpdatePatch)] = ["message"],
        [typeof(IncidentsApi.NamedComponent)] = ["slug", "status"],
        [typeof(MaintenanceApi.NewMaintenance)] = ["title", "message", "startsAt", "endsAt"],
        [typeof(MaintenanceApi.NewMaintenanceUpdate)] = ["message"],
        [typeof(MaintenanceApi.MaintainedSlug)] = ["slug"],
        [typeof(NewMonitor)] = ["name", "kind"],
        [typeof(AccessApi.NewPerson)] = ["name", "email", "role"],
        [typeof(AccessApi.NewApiKey)] = ["name", "scopes"],
    };

    public static async Task Describe(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken ct)
    {
        var type = context.JsonTypeInfo.Type;
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Given<>))
        {
            var inner = await context.GetOrCreateSchemaAsync(type.GetGenericArguments()[0], null, ct);
            (schema.Type, schema.Format, schema.Pattern, schema.Enum) = ((inner.Type ?? JsonSchemaType.String) | JsonSchemaType.Null, inner.Format, inner.Pattern, inner.Enum);
            (schema.Properties, schema.Required) = (null, null);
        }
        else if (IsBody(type)) schema.Required = Needed.TryGetValue(type, out var fields) ? fields.ToHashSet() : null;
    }

    static bool IsBody(Type type) => Needed.ContainsKey(type) || type.Name.EndsWith("Patch", StringComparison.Ordinal);
}
