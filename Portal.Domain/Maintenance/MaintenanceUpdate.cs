using Portal.Domain.Incidents;
using Portal.Domain.Shared;

namespace Portal.Domain.Maintenance;

public readonly record struct MaintenanceUpdateId(Guid Value) : IId<MaintenanceUpdateId>
{
    public static MaintenanceUpdateId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");

    /// <summary>The id of an entry that nobody wrote: the same on every node and for ever.</summary>
    public static MaintenanceUpdateId Of(MaintenanceId window, MaintenanceStatus edge)
    {
        var bytes = window.Value.ToByteArray();
        bytes[^1] ^= (byte)(0x51 + (int)edge);
        return new(new Guid(bytes));
    }
}

/// <summary>Something that a person wrote to a window: for customers, or a note for the team.</summary>
public sealed class MaintenanceUpdate
{
    MaintenanceUpdate() { }

    internal MaintenanceUpdate(MaintenanceWindow window, MaintenanceStatus status, string body, UpdateVisibility visibility, Actor author, DateTimeOffset now, MaintenanceUpdateId? id)
    {
        Id = id ?? Shared.Id.New<MaintenanceUpdateId>(now);
        WindowId = window.Id;
        Status = status;
        Body = Text.Required(body, "message", "The message", Text.MessageLength);
        (Visibility, Author, CreatedAt) = (visibility, author.Name, now);
    }

    public MaintenanceUpdateId Id { get; private set; }
    public MaintenanceId WindowId { get; private set; }
    /// <summary>How the window stood when this was written.</summary>
    public MaintenanceStatus Status { get; private set; }
    /// <summary>Plain text with line breaks, at most 10,000 characters.</summary>
    public string Body { get; private set; } = "";
    public UpdateVisibility Visibility { get; private set; }
    public string Author { get; private set; } = "";
    public DateTimeOffset CreatedAt { get; private set; }
}
