using System.Globalization;
using Microsoft.AspNetCore.Components;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;

namespace Portal.Features.OnCall;

public sealed partial class PolicyEditor
{
    sealed class Step
    {
        public List<EscalationTarget> Targets { get; init; } = [];
        public string? Delay { get; set; } = "5";
    }

    readonly List<Step> steps = [];
    OnCallDesk.View? view;
    EscalationPolicy? saved;
    EscalationPolicyVersion? draft;
    string? name, wrong;
    string? repeat = "0";
    bool busy, asking;

    [Parameter] public string? Key { get; set; }

    string Heading => Key is null ? "New policy" : $"Change {saved?.Name ?? "policy"}";

    protected override async Task OnInitializedAsync() => await Fetch(async () =>
    {
        var now = Clock.GetUtcNow();
        view = await Desk.Load(new(now, now.AddDays(60)), await CurrentActor(), Left);
        saved = Key is null ? null : view.Policies.FirstOrDefault(p => p.Id == Domain.Shared.Id.Parse<EscalationPolicyId>(Key, "policy")) ?? throw new NotFoundException("policy");
        name = saved?.Name;
        repeat = (saved?.Current.Repeat ?? 0).ToString(CultureInfo.InvariantCulture);
        steps.Clear();
        foreach (var step in saved?.Current.Steps ?? new Listed<EscalationStep>([])) steps.Add(new() { Targets = [.. step.Targets], Delay = step.DelayMinutes.ToString(CultureInfo.InvariantCulture) });
        if (steps.Count == 0) steps.Add(new());
        Preview();
    });

    static int Number(string? text, string field) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new DomainException("Write whole numbers.", field);

    EditPolicies.Request Read() => new(name, [.. steps.Select(s => new EscalationStep(new(s.Targets), Number(s.Delay, "steps")))], Number(repeat, "repeat"));

    /// <summary>By the rules of the policy itself, so that what is refused when it is saved is said before.</summary>
    void Preview()
    {
        try
        {
            var read = Read();
            (draft, wrong) = (new EscalationPolicy("Draft", read.Steps, read.Repeat, "", Clock.GetUtcNow()).Current, null);
        }
        catch (DomainException e)
        {
            (draft, wrong) = (null, e.Message);
        }
    }

    void Add(Step step, ChangeEventArgs e)
    {
        if ((e.Value as string)?.Split(':') is [var kind, var id] && Enum.TryParse<EscalationTargetKind>(kind, out var of) && Guid.TryParse(id, out var known)) step.Targets.Add(new(of, known));
        Preview();
    }

    void Remove(Step step, EscalationTarget target)
    {
        step.Targets.Remove(target);
        Preview();
    }

    void Another()
    {
        steps.Add(new());
        Preview();
    }

    void Up(int at)
    {
        (steps[at - 1], steps[at]) = (steps[at], steps[at - 1]);
        Preview();
    }

    void Drop(int at)
    {
        steps.RemoveAt(at);
        Preview();
    }

    static int Order(EscalationTargetKind kind) => kind == EscalationTargetKind.Schedule ? -1 : (int)kind;

    static string GroupOf(EscalationTargetKind kind) => kind switch
    {
        EscalationTargetKind.Schedule => "Whoever is on call in",
        EscalationTargetKind.Person => "People",
        EscalationTargetKind.Channel => "Channels",
        _ => "Contact groups",
    };

    static string Kind(EscalationTarget target) => target.Kind switch
    {
        EscalationTargetKind.Schedule => "On call in",
        EscalationTargetKind.Person => "",
        EscalationTargetKind.Channel => "Channel",
        _ => "Group",
    };

    async Task Act(Func<Actor, Task> action)
    {
        if (busy) return;
        busy = true;
        var done = await Try(async () => await action(await CurrentActor()));
        busy = false;
        if (done) Navigation.NavigateTo("/ops/on-call/policies");
    }

    Task Save() => Act(async actor =>
    {
        var request = Read();
        if (saved is null) await Edit.Make(request, actor, Left);
        else await Edit.Change(saved.Id, _ => request, saved.Version, actor, Left);
    });

    Task Delete() => Act(actor => Edit.Delete(saved!.Id, actor, Left));
}
