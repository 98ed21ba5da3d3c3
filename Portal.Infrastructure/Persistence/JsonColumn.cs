using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Portal.Infrastructure.Persistence;

static class JsonColumn
{
    /// <summary>An immutable record in a jsonb column, compared by its members; what it leaves open is not written.</summary>
    public static PropertyBuilder<T> AsJson<T>(this PropertyBuilder<T> property) where T : class, IEquatable<T>
    {
        property.HasColumnType("jsonb").HasConversion(
            value => JsonSerializer.Serialize(value, StoredJson.Sparse),
            json => JsonSerializer.Deserialize<T>(json, StoredJson.Sparse)!,
            new ValueComparer<T>((a, b) => Equals(a, b), value => value.GetHashCode(), value => value));
        return property;
    }

    /// <summary>A small immutable list in a jsonb column, compared by its JSON.</summary>
    public static PropertyBuilder<IReadOnlyList<T>> AsJson<T>(this PropertyBuilder<IReadOnlyList<T>> property)
    {
        property.HasColumnType("jsonb").HasConversion(
            list => JsonSerializer.Serialize(list, StoredJson.Plain),
            json => JsonSerializer.Deserialize<List<T>>(json, StoredJson.Plain)!,
            new ValueComparer<IReadOnlyList<T>>((a, b) => a!.SequenceEqual(b!), list => list.Count, list => list));
        return property;
    }

    /// <summary>Names and values in a jsonb column, never changed in place.</summary>
    public static PropertyBuilder<IReadOnlyDictionary<string, string>> AsJson(this PropertyBuilder<IReadOnlyDictionary<string, string>> property)
    {
        property.HasColumnType("jsonb").HasConversion(
            values => JsonSerializer.Serialize(values, StoredJson.Plain),
            json => JsonSerializer.Deserialize<Dictionary<string, string>>(json, StoredJson.Plain)!,
            new ValueComparer<IReadOnlyDictionary<string, string>>((a, b) => a!.Count == b!.Count && !a.Except(b).Any(), values => values.Count, values => values));
        return property;
    }
}
