using System.Text.Json;
using System.Text.Json.Serialization;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;

namespace Portal.Infrastructure.Persistence;

/// <summary>How values of the domain that check themselves are written as JSON, and read through the same checks.</summary>
static class StoredJson
{
    /// <summary>What an object leaves open is not written; names in camelCase.</summary>
    public static JsonSerializerOptions Sparse { get; } = With(new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull });

    /// <summary>Names as they stand in code.</summary>
    public static JsonSerializerOptions Plain { get; } = With(new());

    static JsonSerializerOptions With(JsonSerializerOptions options)
    {
        options.Converters.Add(new Lists());
        options.Converters.Add(new Weeks());
        options.Converters.Add(new Turns());
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }

    sealed class Lists : JsonConverterFactory
    {
        public override bool CanConvert(Type typeToConvert) => typeToConvert.IsGenericType && typeToConvert.GetGenericTypeDefinition() == typeof(Listed<>);

        public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
            (JsonConverter)Activator.CreateInstance(typeof(List<>).MakeGenericType(typeToConvert.GetGenericArguments()))!;

        sealed class List<T> : JsonConverter<Listed<T>>
        {
            public override Listed<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(JsonSerializer.Deserialize<T[]>(ref reader, options) ?? []);
            public override void Write(Utf8JsonWriter writer, Listed<T> value, JsonSerializerOptions options) => JsonSerializer.Serialize(writer, value.ToArray(), options);
        }
    }

    sealed class Weeks : JsonConverter<WeeklyTimes>
    {
        public override WeeklyTimes Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(JsonSerializer.Deserialize<WeekSpan[]>(ref reader, options) ?? []);
        public override void Write(Utf8JsonWriter writer, WeeklyTimes value, JsonSerializerOptions options) => JsonSerializer.Serialize(writer, value.Spans.ToArray(), options);
    }

    sealed record Turn(HandOverRhythm Rhythm, int Every, WeekTime[]? Times);

    sealed class Turns : JsonConverter<HandOvers>
    {
        public override HandOvers Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            var turn = JsonSerializer.Deserialize<Turn>(ref reader, options)!;
            return HandOvers.Of(turn.Rhythm, turn.Every, turn.Times);
        }

        public override void Write(Utf8JsonWriter writer, HandOvers value, JsonSerializerOptions options) =>
            JsonSerializer.Serialize(writer, new Turn(value.Rhythm, value.Every, value.Times.Count == 0 ? null : [.. value.Times]), options);
    }
}
