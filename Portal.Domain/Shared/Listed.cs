using System.Collections;

namespace Portal.Domain.Shared;

/// <summary>A short list that is the same as another one with the same members in the same order: for records that are compared.</summary>
public sealed class Listed<T>(IEnumerable<T> members) : IReadOnlyList<T>, IEquatable<Listed<T>>
{
    readonly T[] members = [.. members];

    public int Count => members.Length;

    public T this[int index] => members[index];

    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)members).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => members.GetEnumerator();

    public bool Equals(Listed<T>? other) => other is not null && members.AsSpan().SequenceEqual(other.members);

    public override bool Equals(object? obj) => Equals(obj as Listed<T>);

    public override int GetHashCode() => members.Length;
}
