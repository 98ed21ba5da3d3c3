using Microsoft.AspNetCore.Components;
using Portal.Components;
using Portal.Domain.Shared;

namespace Portal.Features.Access;

/// <summary>What the lists of administration share: rows part by part, a form that opens with the cursor in it, and one action at a time.</summary>
public abstract class AccessListPage<TRow> : StaffPage where TRow : class
{
    const int PageSize = 100;
    readonly RowsInParts<TRow> list;
    bool focusing;

    protected AccessListPage() => list = new(PageSize, () => Topic, KeyOf, async (last, most) => await LoadPart(last, most, await CurrentActor()));

    protected List<TRow>? Rows => list.Rows;
    protected bool HasMore => list.HasMore;
    protected bool IsBusy { get; private set; }
    protected bool IsFormOpen { get; set; }

    /// <summary>The first control of the form.</summary>
    protected ElementReference First { get; set; }

    /// <summary>The row that a question is about; null while none is asked.</summary>
    protected TRow? Asked { get; set; }

    protected abstract string Topic { get; }

    protected abstract object KeyOf(TRow row);

    /// <param name="after">The last row of the part before.</param>
    protected abstract Task<IReadOnlyList<TRow>> LoadPart(TRow? after, int most, Actor actor);

    protected override async Task OnInitializedAsync()
    {
        Watch(Topic, list.Reload);
        await Fetch(list.Begin);
    }

    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (!focusing) return;
        focusing = false;
        await Focus(First);
    }

    protected void OpenForm() => IsFormOpen = focusing = true;

    /// <summary>What was refused in the form goes with it.</summary>
    protected void CloseForm() => (IsFormOpen, Problem) = (false, null);

    protected Task More() => Try(list.More);

    /// <summary>One action at a time, and then what stands now.</summary>
    protected async Task<bool> Run(Func<Actor, Task> action)
    {
        if (IsBusy) return false;
        IsBusy = true;
        var done = await Try(async () =>
        {
            await action(await CurrentActor());
            await list.Reload();
        });
        IsBusy = false;
        return done;
    }
}
