using System.Reflection;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Portal.Domain.Access;
using Portal.Domain.Shared;

namespace Portal.Api.Describing;

/// <summary>What the framework cannot know of <c>/api/v1</c>: keys, scopes, problems, limits, idempotency, and the words of enums.</summary>
static class ManagementDocument
{
    const string KeyScheme = "apiKey";

    public static void Configure(OpenApiOptions options)
    {
        options.ShouldInclude = description => description.GroupName == "v1";
        options.AddSchemaTransformer(Words);
        options.AddSchemaTransformer(RequestBodies.Describe);
        options.AddOperationTransformer(Rules);
        options.AddDocumentTransformer(Frame);
    }

    static Task Words(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken ct)
    {
        var type = Nullable.GetUnderlyingType(context.JsonTypeInfo.Type) ?? context.JsonTypeInfo.Type;
        var none = Nullable.GetUnderlyingType(context.JsonTypeInfo.Type) is null ? default : JsonSchemaType.Null;
        if (type.IsEnum)
        {
            (schema.Type, schema.Properties) = (JsonSchemaType.String | none, null);
            schema.Enum = [.. ApiJson.Words(type).Select(w => (JsonNode)JsonValue.Create(w))];
        }
        else if (type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IId<>)))
            (schema.Type, schema.Properties, schema.Pattern, schema.Description) = (JsonSchemaType.String | none, null, "^[0-9a-f]{32}$", "An id, 32 hexadecimal digits.");
        else if (type == typeof(DateTimeOffset))
            (schema.Type, schema.Format) = (JsonSchemaType.String | none, "date-time");
        return Task.CompletedTask;
    }

    static Task Rules(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken ct)
    {
        var write = context.Description.HttpMethod is "POST" or "PUT" or "PATCH" or "DELETE";
        // What is no part of the keys' world stands open: its address alone says who calls.
        if (!context.Description.ActionDescriptor.EndpointMetadata.OfType<KeysOnly>().Any()) operation.Security = [];
        var scopes = context.Description.ActionDescriptor.EndpointMetadata.OfType<Microsoft.AspNetCore.Authorization.IAuthorizeData>()
            .Select(a => Enum.TryParse<Permission>(a.Policy, out var permission) ? Permissions.ScopeOf(permission) : null).OfType<string>().Distinct().ToList();
        if (scopes.Count > 0)
        {
            operation.Extensions ??= new Dictionary<string, IOpenApiExtension>();
            operation.Extensions["x-scopes"] = new JsonNodeExtension(new JsonArray([.. scopes.Select(s => (JsonNode)JsonValue.Create(s))]));
        }
        if (write && context.Description.ActionDescriptor.EndpointMetadata.OfType<KeysOnly>().Any())
            (operation.Parameters ??= []).Add(new OpenApiParameter
            {
                Name = "Idempotency-Key",
                In = ParameterLocation.Header,
                Description = "Up to 255 characters of your choice. The same request under the same key is carried out once, and answered alike for 24 hours.",
                Schema = new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = 255 },
            });
        operation.Responses ??= [];
        foreach (var (status, _, title, _) in Problem.All.Where(p => p.Status is 401 or 403 or 429 or 503 || write && p.Status is 400 or 409 or 415 or 422 || context.Description.RelativePath!.Contains('{') && p.Status == 404))
            operation.Responses.TryAdd(status.ToString(System.Globalization.CultureInfo.InvariantCulture), new OpenApiResponse
            {
                Description = title,
                Content = new Dictionary<string, OpenApiMediaType> { [Problem.ContentType] = new() { Schema = new OpenApiSchemaReference("Problem", context.Document) } },
            });
        return Task.CompletedTask;
    }

    static Task Frame(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken ct)
    {
        var services = context.ApplicationServices;
        var limits = services.GetRequiredService<Hosting.PortalOptions>().Api;
        document.Info = new OpenApiInfo
        {
            Title = "Management API",
            Version = typeof(ManagementDocument).Assembly.GetName().Version?.ToString(3) ?? "1",
            Description = $"""
                Everything that the screens can do, for programs. Send "Authorization: Bearer <key>"; administrators create keys with scopes under /admin/api-keys.
                JSON in camelCase (a field with * must be given), times in RFC 3339 UTC, ids as 32 hexadecimal digits. A field that is not known is refused with 422.
                Lists answer "items" and "next": repeat with ?after=<next> until it is null; ?limit= takes 1 to {Cursor.Most}, otherwise {Cursor.Usual}.
                What can be edited carries a version: send it back as "version" or as If-Match, and a change that somebody made in between is answered 409 instead of being overwritten.
                Limits: {limits.PerKey:N0} requests a minute a key and {limits.PerAddress:N0} a network address, a quarter of that at once; beyond it 429 with Retry-After. A body may have 1 MB.
                """,
        };
        document.Servers = [new OpenApiServer { Url = services.GetRequiredService<Hosting.PortalAddress>().Public }];
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
        {
            [KeyScheme] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "A key with scopes: " + string.Join(", ", Permissions.Scopes) },
        };
        document.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(KeyScheme, document)] = [] }];
        document.Components.Schemas ??= new Dictionary<string, IOpenApiSchema>();
        document.Components.Schemas["Problem"] = ProblemSchema();
        return Task.CompletedTask;
    }

    static OpenApiSchema ProblemSchema()
    {
        OpenApiSchema Text(string description) => new() { Type = JsonSchemaType.String, Description = description };
        return new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Description = "Problem details after RFC 9457.",
            Required = new HashSet<string> { "type", "title", "status", "requestId" },
            Properties = new Dictionary<string, IOpenApiSchema>
            {
                ["type"] = Text("Names the kind of problem; explained at this address."),
                ["title"] = Text("The kind in words."),
                ["status"] = new OpenApiSchema { Type = JsonSchemaType.Integer },
                ["detail"] = Text("What is wrong here, and the way out."),
                ["requestId"] = Text("Find it in the logs; also in X-Request-Id."),
                ["errors"] = new OpenApiSchema
                {
                    Type = JsonSchemaType.Object,
                    Description = "Field to what is wrong with it.",
                    AdditionalProperties = new OpenApiSchema { Type = JsonSchemaType.Array, Items = new OpenApiSchema { Type = JsonSchemaType.String } },
                },
                ["current"] = Text("With 409: the text that stands now."),
                ["scope"] = Text("With 403: the scope that the key lacks."),
            },
        };
    }
}
