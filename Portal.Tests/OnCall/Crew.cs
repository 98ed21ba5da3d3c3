using System.Globalization;
using Portal.Domain.Access;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;

namespace Portal.Tests.OnCall;

/// <summary>People and times in few words.</summary>
static class Crew
{
    public static readonly PersonId Ann = Person('a'), Ben = Person('b'), Cat = Person('c'), Dan = Person('d'), Eve = Person('e');
    /// <summary>Before everything that happens in these tests.</summary>
    public static readonly DateTimeOffset Past = At("2025-09-01T00:00Z");

    public static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal).ToUniversalTime();

    public static DateTime Local(string text) => DateTime.Parse(text, CultureInfo.InvariantCulture);

    public static Interval Time(string from, string to) => new(At(from), At(to));

    public static WeekTime On(DayOfWeek day, string time) => new(day, TimeOnly.Parse(time, CultureInfo.InvariantCulture));

    public static Rotation Rotating(HandOvers handOvers, string start, string zone = "UTC", params PersonId[] people) => new("Rotation", zone, Local(start), handOvers, people, Past);

    public static OnCallSchedule Schedule(params OnCallLayer[] layers) => new("Schedule", "UTC", layers, Past);

    public static OnCallLayer Layer(PersonId person, WeeklyTimes? only = null) => new($"Layer {Name(person)}", null, person, only);

    public static Roster Roster(this OnCallSchedule schedule, params Rotation[] rotations) => schedule.Roster(id => rotations.SingleOrDefault(r => r.Id == id));

    public static string Name(PersonId? person) => person is { } known ? ((char)known.Value.ToByteArray()[15]).ToString() : "-";

    /// <summary>"a 03-01 08:00–03-01 12:00", in UTC.</summary>
    public static string Words(Shift shift) => $"{Name(shift.Person)} {Words(shift.Time)}";

    public static string Words(Interval time) => $"{time.From.ToString("MM-dd HH:mm", CultureInfo.InvariantCulture)}–{time.To.ToString("MM-dd HH:mm", CultureInfo.InvariantCulture)}";

    public static string Refusal(Action refused, string? field = null)
    {
        var exception = Assert.Throws<DomainException>(refused);
        Assert.Equal(field, exception.Field);
        return exception.Message;
    }

    static PersonId Person(char name) => new(new Guid($"00000000-0000-7000-8000-0000000000{(int)name:x2}"));
}
