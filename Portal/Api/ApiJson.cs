using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;

namespace Portal.Api;

/// <summary>How <c>/api/v1</c> writes things: camelCase, enum values in snake_case, times in RFC 3339 UTC, ids as 32 hex digits.</summary>
public static class ApiJson
{
    public static JsonSerializerOptions Options { get; } = Configure(new JsonSerializerOptions(JsonSerializerDefaults.Web));

    public static JsonSerializerOptions Configure(JsonSerializerOptions options)
    {
        options.MaxDepth = 32;
        options.NumberHandling = JsonNumberHandling.Strict;
        // A mistyped name must not be half obeyed: "visiblity": "internal" would publish.
        options.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        options.Converters.Add(new WordsOfEnums());
        options.Converters.Add(new Ids());
        options.Converters.Add(new Times());
        return options;
    }

    /// <summary>The word that stands for an enum value: snake_case, except that a severity is written as people say it, P0 to P3.</summary>
    public static string Word(object value) =>
        value is Severity ? value.ToString()! : JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString()!);

    public static IReadOnlyList<string> Words(Type type) => [.. Enum.GetValues(type).Cast<object>().Select(Word)];

    public static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    sealed class WordsOfEnums : JsonConverterFactory
    {
        public override bool CanConvert(Type typeToConvert) => typeToConvert.IsEnum;

        public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
            (JsonConverter)Activator.CreateInstance(typeof(WordOf<>).MakeGenericType(typeToConvert))!;
    }

    sealed class WordOf<T> : JsonConverter<T> where T : struct, Enum
    {
        static readonly Dictionary<string, T> Known = Enum.GetValues<T>().ToDictionary(v => Word(v), StringComparer.OrdinalIgnoreCase);

        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            var given = reader.TokenType == JsonTokenType.String ? reader.GetString()! : null;
            if (given is not null && Known.TryGetValue(given, out var value)) return value;
            throw new RefusedValue($"{(given is null ? "It must be a text and" : $"\"{Short(given)}\" is not known; it must be")} one of: {string.Join(", ", Words(typeof(T)))}.");
        }

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(Word(value));
    }

    sealed class Ids : JsonConverterFactory
    {
        public override bool CanConvert(Type typeToConvert) => typeToConvert.IsValueType &&
            typeToConvert.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IId<>));

        public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
            (JsonConverter)Activator.CreateInstance(typeof(IdOf<>).MakeGenericType(typeToConvert))!;
    }

    sealed class IdOf<T> : JsonConverter<T> where T : struct, IId<T>
    {
        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String && Id.TryParse<T>(reader.GetString(), out var id) ? id : throw new RefusedValue("It must be an id: 32 hexadecimal digits.");

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value.ToString("N"));
    }

    sealed class Times : JsonConverter<DateTimeOffset>
    {
        static readonly string[] Formats = ["yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mmK"];

        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String && TryRead(reader.GetString(), out var at) ? at
                : throw new RefusedValue("It must be a time with its zone as in RFC 3339, for example 2026-11-21T14:20:00Z.");

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) => writer.WriteStringValue(Time(value));

        static bool TryRead(string? text, out DateTimeOffset at)
        {
            at = default;
            // Without a zone the text would be read in the server's own.
            if (text is not { Length: > 16 and < 40 } || !(text[^1] is 'Z' or 'z' || text[^6] is '+' or '-')) return false;
            var read = DateTimeOffset.TryParseExact(text.ToUpperInvariant(), Formats, CultureInfo.InvariantCulture, DateTimeStyles.None, out at);
            at = at.ToUniversalTime();
            return read;
        }
    }

    static string Short(string text) => text.Length <= 40 ? text : string.Concat(text.AsSpan(0, 39), "…");
}

/// <summary>A value that JSON could carry but the field does not take; the text says what it takes.</summary>
sealed class RefusedValue(string message) : JsonException(message);
