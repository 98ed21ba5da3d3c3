using Portal.Components;

namespace Portal.Tests.Screens;

public class RowsInPartsTests
{
    readonly List<string> all = [.. Enumerable.Range(0, 10).Select(i => $"row {i}")];
    readonly Queue<TaskCompletionSource> held = new();
    string filter = "row";

    RowsInParts<string> List() => new(3, () => filter, row => row, async (after, most) =>
    {
        IReadOnlyList<string> answer = [.. all.Where(r => r.StartsWith(filter, StringComparison.Ordinal)).SkipWhile(r => after is not null && r != after).Skip(after is null ? 0 : 1).Take(most)];
        if (held.TryDequeue(out var hold))
        {
            await hold.Task;
        }
        return answer;
    });

    TaskCompletionSource HoldNext()
    {
        held.Enqueue(new());
        return held.Last();
    }

    [Fact]
    public async Task It_goes_on_where_it_ended_and_says_when_there_is_no_more()
    {
        var list = List();
        Assert.Null(list.Rows);
        await list.Begin();
        Assert.Equal((3, true), (list.Rows!.Count, list.HasMore));
        for (var i = 0; i < 3; i++) await list.More();
        Assert.Equal(all, list.Rows);
        Assert.False(list.HasMore);
        await list.Reload();
        Assert.Equal(all, list.Rows);
        await list.Begin();
        Assert.Equal(all.Take(3), list.Rows);
    }

    [Fact]
    public async Task A_reload_that_is_answered_late_does_not_take_away_what_more_has_brought()
    {
        var list = List();
        await list.Begin();
        var slow = HoldNext();
        var reload = list.Reload();
        await list.More();
        Assert.Equal(6, list.Rows!.Count);
        slow.SetResult();
        await reload;
        Assert.Equal(all.Take(6), list.Rows);
    }

    [Fact]
    public async Task More_that_is_answered_after_a_reload_follows_what_stands_then()
    {
        var list = List();
        await list.Begin();
        var slow = HoldNext();
        var more = list.More();
        all.Insert(0, "row new");
        await list.Reload();
        slow.SetResult();
        await more;
        Assert.Equal(all.Take(6), list.Rows);
    }

    [Fact]
    public async Task An_older_answer_that_comes_last_is_not_shown()
    {
        var list = List();
        await list.Begin();
        var slow = HoldNext();
        var older = list.Reload();
        all[0] = "row changed";
        await list.Reload();
        slow.SetResult();
        await older;
        Assert.Equal("row changed", list.Rows![0]);
    }

    [Fact]
    public async Task The_answer_to_a_question_that_is_not_asked_any_more_is_not_shown()
    {
        var list = List();
        await list.Begin();
        var slow = HoldNext();
        var older = list.Reload();
        filter = "row 7";
        slow.SetResult();
        await older;
        Assert.Equal(3, list.Rows!.Count);
        await list.Begin();
        Assert.Equal(["row 7"], list.Rows);
    }

    [Fact]
    public async Task More_of_an_earlier_question_begins_with_the_answer_to_this_one()
    {
        var list = List();
        await list.Begin();
        filter = "row 7";
        await list.More();
        Assert.Equal(["row 7"], list.Rows);
    }

    [Fact]
    public async Task A_row_that_moved_down_meanwhile_is_not_shown_twice()
    {
        var list = List();
        await list.Begin();
        all.Remove("row 0");
        all.Insert(4, "row 0");
        await list.More();
        Assert.Equal(list.Rows!.Distinct(), list.Rows);
        Assert.Equal(5, list.Rows!.Count);
        await list.Reload();
        Assert.Equal(all.Take(5), list.Rows);
    }
}
