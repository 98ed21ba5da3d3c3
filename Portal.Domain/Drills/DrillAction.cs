using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;

namespace Portal.Domain.Drills;

public readonly record struct DrillActionId(Guid Value) : IId<DrillActionId>
{
    public static DrillActionId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

/// <summary>Something to be done that a drill has shown. It stays open until it was done and a later drill of the same target has passed with it.</summary>
public sealed class DrillAction
{
    public const int TextLength = 500, MostOfDrill = 50;

    DrillAction() { }

    /// <exception cref="DomainException">Names the field.</exception>
    public DrillAction(Drill drill, string? text, string? owner, Actor by, DateTimeOffset now)
    {
        drill.RequireOpen();
        (Id, DrillId, TargetId, CreatedAt, CreatedBy) = (Shared.Id.New<DrillActionId>(now), drill.Id, drill.TargetId, now, by.Name);
        Text = Shared.Text.Required(text, "text", "What is to be done", TextLength);
        Owner = Shared.Text.Required(owner, "owner", "Who does it", Shared.Text.NameLength);
    }

    public DrillActionId Id { get; private set; }
    public JobRunId DrillId { get; private set; }
    public BackupTargetId TargetId { get; private set; }
    public string Text { get; private set; } = "";
    public string Owner { get; private set; } = "";
    public DateTimeOffset CreatedAt { get; private set; }
    public string CreatedBy { get; private set; } = "";
    public DateTimeOffset? DoneAt { get; private set; }
    public string? DoneBy { get; private set; }
    /// <summary>The drill that passed after it was done; null while none has.</summary>
    public JobRunId? TestedBy { get; private set; }
    public DateTimeOffset? TestedAt { get; private set; }
    public uint Version { get; private set; }

    public bool IsOpen => TestedBy is null;

    /// <exception cref="DomainException">It was tested already.</exception>
    public void Done(Actor by, DateTimeOffset now)
    {
        if (TestedBy is not null) throw new DomainException("A drill has tested this already.");
        (DoneAt, DoneBy) = (DoneAt ?? now, DoneBy ?? by.Name);
    }

    /// <summary>It was not done after all.</summary>
    /// <exception cref="DomainException">It was tested already.</exception>
    public void Reopen()
    {
        if (TestedBy is not null) throw new DomainException("A drill has tested this already.");
        (DoneAt, DoneBy) = (null, null);
    }

    /// <summary>A drill passed. What was done after its begin is left to the next one.</summary>
    public void Tested(Drill by)
    {
        if (TestedBy is null && DoneAt < by.StartedAt && by is { Outcome: DrillOutcome.Passed, EndedAt: { } at } && by.TargetId == TargetId && by.Id != DrillId) (TestedBy, TestedAt) = (by.Id, at);
    }
}
