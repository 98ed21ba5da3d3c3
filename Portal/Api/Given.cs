using System.Text.Json;
using System.Text.Json.Serialization;

namespace Portal.Api;

/// <summary>A field of a PATCH: absent (leave it) is something else than null (clear it).</summary>
[JsonConverter(typeof(GivenConverters))]
public readonly record struct Given<T>(bool IsGiven, T? Value)
{
    public T? Or(T? otherwise) => IsGiven ? Value : otherwise;
}

/// <summary>An absent field never reaches its converter and so stays the default, which is "not given".</summary>
sealed class GivenConverters : JsonConverterFactory
{
    public override bool CanConvert(Type typeToConvert) => typeToConvert.IsGenericType && typeToConvert.GetGenericTypeDefinition() == typeof(Given<>);

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(typeof(Of<>).MakeGenericType(typeToConvert.GetGenericArguments()))!;

    sealed class Of<T> : JsonConverter<Given<T>>
    {
        public override bool HandleNull => true;

        // Not JsonSerializer.Deserialize: the refusal of a value would lose the path of its field.
        static T? Value(ref Utf8JsonReader reader, JsonSerializerOptions options) => ((JsonConverter<T>)options.GetConverter(typeof(T))).Read(ref reader, typeof(T), options);

        public override Given<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            new(true, reader.TokenType == JsonTokenType.Null && default(T) is null ? default : Value(ref reader, options));

        public override void Write(Utf8JsonWriter writer, Given<T> value, JsonSerializerOptions options) => JsonSerializer.Serialize(writer, value.Value, options);
    }
}
