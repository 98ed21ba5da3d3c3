using System.Text.Json;
using System.Text.Json.Serialization;
using Portal.Domain.StatusPages;

namespace Portal.Features.Maintenance;

/// <summary>A component is named as incidents name it, or by its slug alone: there is nothing else to say of it.</summary>
sealed class SlugOrObject : JsonConverter<MaintenanceApi.MaintainedSlug>
{
    public override MaintenanceApi.MaintainedSlug Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String) return new(reader.GetString());
        if (reader.TokenType != JsonTokenType.StartObject) throw new JsonException("A component is a slug, or an object with one.");
        var (slug, status) = ((string?)null, (ComponentStatus?)null);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            if (name.Equals("slug", StringComparison.OrdinalIgnoreCase)) slug = reader.TokenType == JsonTokenType.String ? reader.GetString() : throw new JsonException("The slug is a text.");
            else if (name.Equals("status", StringComparison.OrdinalIgnoreCase)) status = reader.TokenType == JsonTokenType.Null ? null : ((JsonConverter<ComponentStatus>)options.GetConverter(typeof(ComponentStatus))).Read(ref reader, typeof(ComponentStatus), options);
            else throw new JsonException($"The JSON property '{name}' could not be mapped to any .NET member");
        }
        return new(slug, status);
    }

    public override void Write(Utf8JsonWriter writer, MaintenanceApi.MaintainedSlug value, JsonSerializerOptions options) => writer.WriteStringValue(value.Slug);
}
