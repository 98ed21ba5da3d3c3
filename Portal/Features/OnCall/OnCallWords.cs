using System.Globalization;
using Portal.Domain.Notifications;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Public;

namespace Portal.Features.OnCall;

/// <summary>How on-call writes its values for people.</summary>
public static class OnCallWords
{
    static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    /// <summary>In the middle of a sentence.</summary>
    public static string Of(ChannelKind kind) => kind switch
    {
        ChannelKind.Email => "mail",
        ChannelKind.Sms => "SMS",
        ChannelKind.Voice => "a call",
        ChannelKind.WebPush => "push",
        ChannelKind.Ntfy => "ntfy",
        ChannelKind.Webhook => "a webhook",
        _ => kind.ToString(),
    };

    /// <summary>"Mon 2 Mar, 09:00 CET", as clocks in the zone show it.</summary>
    public static string Moment(DateTimeOffset at, string zone)
    {
        var found = ZoneClock.Zone(zone);
        return $"{ZoneClock.Wall(at, found).ToString("ddd d MMM, HH:mm", Invariant)} {ZoneName.At(found, at)}";
    }

    /// <summary>From "Mon 2 Mar, 09:00" to "Mon 9 Mar, 09:00 CET"; the day once where it is one.</summary>
    public static string Span(Interval time, string zone)
    {
        var found = ZoneClock.Zone(zone);
        var (from, to) = (ZoneClock.Wall(time.From, found), ZoneClock.Wall(time.To, found));
        return $"{from.ToString("ddd d MMM, HH:mm", Invariant)} – {to.ToString(from.Date == to.Date ? "HH:mm" : "ddd d MMM, HH:mm", Invariant)} {ZoneName.At(found, time.To)}";
    }

    /// <summary>"A turn takes 1 week, and begins on Monday at 09:00 (Europe/Berlin)."</summary>
    public static string Of(Rotation rotation)
    {
        var every = rotation.HandOvers.Every;
        var begins = rotation.Start.ToString("HH:mm", Invariant);
        var words = rotation.HandOvers.Rhythm switch
        {
            HandOverRhythm.Hourly => $"hands over every {Count(every, "hour")}, counted from {begins}",
            HandOverRhythm.Daily => $"hands over every {Count(every, "day")} at {begins}",
            HandOverRhythm.Weekly => $"hands over every {Count(every, "week")} on {rotation.Start.DayOfWeek} at {begins}",
            HandOverRhythm.Monthly => $"hands over every {Count(every, "month")} on day {rotation.Start.Day.ToString(Invariant)} at {begins}",
            HandOverRhythm.Minutes => $"hands over every {Count(every, "minute")}, counted from {begins}",
            _ => $"hands over on {string.Join(", ", rotation.HandOvers.Times.Select(t => $"{t.Day} {t.At.ToString("HH:mm", Invariant)}"))}",
        };
        return $"{words} ({rotation.Zone})";
    }

    static string Count(int every, string unit) => every == 1 ? unit : $"{every.ToString("N0", Invariant)} {unit}s";
}
