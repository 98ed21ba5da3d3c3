using System.Globalization;
using Portal.Domain.Backups;
using Portal.Domain.Shared;

namespace Portal.Domain.Drills;

public readonly record struct DrillCheckId(Guid Value) : IId<DrillCheckId>
{
    public static DrillCheckId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

/// <summary>What the first value of a check's answer must be.</summary>
public enum DrillCheckRule
{
    /// <summary>A boolean that is true.</summary>
    IsTrue,
    /// <summary>A number that is not less.</summary>
    AtLeast,
    /// <summary>A number that is not more.</summary>
    AtMost,
    /// <summary>This text, letter for letter.</summary>
    Equals,
}

/// <summary>An administrator's own question to a restored database: one SQL query, and what the first value of its first row must be.</summary>
public sealed class DrillCheck
{
    public const int SqlLength = 4_000, ValueLength = 200;

    /// <summary>Of one target.</summary>
    public const int MostOfTarget = 50;

    DrillCheck() { }

    /// <exception cref="DomainException">Names the field.</exception>
    public DrillCheck(BackupTargetId target, string? name, string? sql, DrillCheckRule rule, string? value, DateTimeOffset now, DrillCheckId? id = null)
    {
        (Id, TargetId, CreatedAt, Rule) = (id ?? Shared.Id.New<DrillCheckId>(now), target, now, rule);
        Name = Text.Required(name, "name", "The name", Text.NameLength);
        Sql = Text.Required(sql, "sql", "The query", SqlLength);
        Value = rule == DrillCheckRule.IsTrue ? null : Text.Required(value, "value", "The value", ValueLength);
        if (rule is DrillCheckRule.AtLeast or DrillCheckRule.AtMost && Number(Value) is null) throw new DomainException("The value must be a number, like 1 or 0.5.", "value");
    }

    public DrillCheckId Id { get; private set; }
    public BackupTargetId TargetId { get; private set; }
    public string Name { get; private set; } = "";
    /// <summary>Asked as a user who may read everything and change nothing.</summary>
    public string Sql { get; private set; } = "";
    public DrillCheckRule Rule { get; private set; }
    public string? Value { get; private set; }
    public DateTimeOffset CreatedAt { get; private set; }

    public string Expectation => Rule switch
    {
        DrillCheckRule.IsTrue => "true",
        DrillCheckRule.AtLeast => $"at least {Value}",
        DrillCheckRule.AtMost => $"at most {Value}",
        _ => $"equal to {Value}",
    };

    /// <param name="answer">The first value, as PostgreSQL writes it; null where there is no row, or no value.</param>
    public bool Accepts(string? answer) => Rule switch
    {
        DrillCheckRule.IsTrue => answer is "t" or "true",
        DrillCheckRule.Equals => answer == Value,
        DrillCheckRule.AtLeast => Number(answer) >= Number(Value),
        _ => Number(answer) <= Number(Value),
    };

    static decimal? Number(string? text) => decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;
}
