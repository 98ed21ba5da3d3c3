namespace Portal.Components;

/// <summary>The rows of a list that is loaded part by part, whatever comes in between: an answer to an older question, or one that others have overtaken, is not shown.</summary>
/// <param name="size">Rows of a part.</param>
/// <param name="question">What is asked for now: the filter.</param>
/// <param name="key">What makes a row this one: none is shown twice, also when it changed its place meanwhile.</param>
/// <param name="load">So many rows after this one; null begins at the top.</param>
public sealed class RowsInParts<TRow>(int size, Func<object> question, Func<TRow, object> key, Func<TRow?, int, Task<IReadOnlyList<TRow>>> load) where TRow : class
{
    int asked, answered;
    object? answers;

    /// <summary>Null before the first answer.</summary>
    public List<TRow>? Rows { get; private set; }
    public bool HasMore { get; private set; }

    /// <summary>Reads what stands now, as many rows as are shown.</summary>
    public async Task Reload() => await Load(() => Math.Max(size, Rows?.Count ?? 0));

    /// <summary>Begins anew with the first part.</summary>
    public async Task Begin() => await Load(() => size);

    public async Task More()
    {
        while (Rows is [.., var last] shown)
        {
            var what = question();
            if (!what.Equals(answers))
            {
                // What stands here is the answer to an earlier question.
                await Begin();
                return;
            }
            var loaded = await load(last, size + 1);
            if (!what.Equals(question())) return;
            // A reload came in between: what follows now may follow another row.
            if (shown != Rows) continue;
            shown.AddRange(loaded.Take(size).ExceptBy(shown.Select(key).ToHashSet(), key));
            HasMore = loaded.Count > size;
            return;
        }
    }

    async Task Load(Func<int> count)
    {
        var turn = ++asked;
        while (true)
        {
            var (what, wanted) = (question(), count());
            var loaded = await load(null, wanted + 1);
            if (!what.Equals(question()) || turn < answered) return;
            // More was loaded meanwhile than was asked for here.
            if (wanted < count()) continue;
            (answered, answers, Rows, HasMore) = (turn, what, [.. loaded.Take(wanted)], loaded.Count > wanted);
            return;
        }
    }
}
