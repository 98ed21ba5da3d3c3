using Portal.Domain.Incidents;
using Portal.Domain.StatusPages;

namespace Portal.Features.Incidents;

/// <summary>First words that are right while little is known. A person changes them as they like.</summary>
public static class MessageTemplates
{
    public sealed record Template(string Name, string Text);

    public static IReadOnlyList<Template> For(Severity severity) => severity switch
    {
        Severity.P0 =>
        [
            new("Everything is down", "The service is not available at the moment. We are working on it with everybody we have."),
            new("Data at risk", "We have stopped a part of the service to keep your data safe while we look into a problem. We will say more as soon as we know it."),
            new("Main function fails", "Most requests fail at the moment. We are investigating the cause."),
        ],
        Severity.P1 =>
        [
            new("Main function fails", "Something that many of you rely on fails at the moment. We are investigating the cause."),
            new("Errors for some", "Some requests fail. Trying again may help. We are investigating the cause."),
            new("A supplier fails", "A supplier that we rely on has a problem, and a part of our service fails because of it. We are in contact with them."),
        ],
        Severity.P2 =>
        [
            new("Slow", "Some pages and requests take longer than usual. We are investigating the cause."),
            new("Errors for a few", "A small part of requests fails. Trying again usually helps. We are investigating the cause."),
            new("Delayed", "Messages and reports arrive later than usual. Nothing is lost."),
        ],
        _ =>
        [
            new("Small fault", "A small fault is known to us. There is a way around it: "),
            new("Display", "Something is shown wrongly. What is stored is right."),
        ],
    };

    /// <summary>The status that a component most likely has in an incident of this severity.</summary>
    public static ComponentStatus UsualStatus(Severity severity) => severity switch
    {
        Severity.P0 => ComponentStatus.MajorOutage,
        Severity.P1 => ComponentStatus.PartialOutage,
        _ => ComponentStatus.DegradedPerformance,
    };

    /// <summary>Minutes that can be promised, besides the usual ones and none at all.</summary>
    public static IReadOnlyList<int> Promises { get; } = [15, 30, 60, 120, 240, 480, 1440];
}

/// <summary>A choice of the next update in a form: empty is the severity's usual one, "none" promises nothing, else minutes from now.</summary>
static class PromiseChoice
{
    public static NextUpdate? Read(string? choice, DateTimeOffset now) => choice switch
    {
        null or "" => null,
        "none" => new NextUpdate(null),
        _ => new NextUpdate(now.AddMinutes(int.Parse(choice, System.Globalization.CultureInfo.InvariantCulture))),
    };
}
