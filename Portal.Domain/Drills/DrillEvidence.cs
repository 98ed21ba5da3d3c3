using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Portal.Domain.Audit;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;

namespace Portal.Domain.Drills;

/// <summary>What a piece of evidence tells.</summary>
public enum DrillEvidenceKind
{
    /// <summary>What was done and found: a <see cref="DrillRecord"/>.</summary>
    Record,
    /// <summary>What was learned, and who signed it off: a <see cref="DrillReview"/>.</summary>
    SignOff,
}

/// <summary>One link of the chain of evidence over all drills: never changed, and bound to everything before it.</summary>
public sealed class DrillEvidence
{
    static readonly JsonSerializerOptions Canon = new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) } };

    DrillEvidence() { }

    /// <param name="before">The newest link; null for the first.</param>
    public DrillEvidence(JobRunId drill, DrillEvidenceKind kind, object content, DrillEvidence? before, DateTimeOffset now)
    {
        // The database keeps microseconds: the seal must be of what can be read back.
        var at = new DateTimeOffset(now.UtcTicks / TimeSpan.TicksPerMicrosecond * TimeSpan.TicksPerMicrosecond, TimeSpan.Zero);
        (Position, DrillId, Kind, At) = ((before?.Position ?? 0) + 1, drill, kind, at);
        Content = JsonSerializer.Serialize(content, content.GetType(), Canon);
        Previous = before?.Seal ?? AuditSeal.Beginning;
        Seal = SealOf();
    }

    /// <summary>Its place in the chain, from 1 without gaps.</summary>
    public long Position { get; private set; }
    public JobRunId DrillId { get; private set; }
    public DrillEvidenceKind Kind { get; private set; }
    public DateTimeOffset At { get; private set; }
    /// <summary>JSON, kept letter by letter.</summary>
    public string Content { get; private set; } = "";
    /// <summary>The seal of the link before; 32 bytes of zero for the first.</summary>
    public byte[] Previous { get; private set; } = [];
    /// <summary>SHA-256 of the seal before and of this link's own fields, in the form of <see cref="AuditSeal"/>.</summary>
    public byte[] Seal { get; private set; } = [];

    public string SealText => Convert.ToHexStringLower(Seal);

    /// <summary>Whether it is as it was sealed, and follows this seal.</summary>
    public bool IsWhole(ReadOnlySpan<byte> before) => before.SequenceEqual(Previous) && Seal.AsSpan().SequenceEqual(SealOf());

    public DrillRecord Record() => Read<DrillRecord>();

    public DrillReview Review() => Read<DrillReview>();

    T Read<T>() => JsonSerializer.Deserialize<T>(Content, Canon)!;

    byte[] SealOf() => AuditSeal.Of(Previous, Position, [DrillId.ToString(), Kind.ToString(), At.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture), Content]);
}

/// <summary>What a drill did and found.</summary>
/// <param name="Node">The portal that did it.</param>
/// <param name="Attempt">From 1; later ones follow a portal that ended in the midst.</param>
/// <param name="FailedAt">When the database is taken to have been lost, by its own clock where it answered.</param>
/// <param name="Phases">In their order; together they are the time to recover.</param>
/// <param name="Compared">How many things of the restored database were compared with the manifest.</param>
/// <param name="Differences">Of those; all of them.</param>
/// <param name="Commands">What was run, without secrets.</param>
public sealed record DrillRecord(
    string Scenario, string Target, string RequestedBy, string Node, int Attempt, DrillOutcome Outcome, string? Reason,
    DateTimeOffset StartedAt, DateTimeOffset FailedAt, DateTimeOffset EndedAt,
    DrilledBackup? Backup, DrillVersions Versions, DrillFigures Figures, IReadOnlyList<DrillPhase> Phases,
    int Compared, IReadOnlyList<ComparedLine> Differences, IReadOnlyList<ComparedLine> Tables, IReadOnlyList<CheckedAnswer> Checks,
    IReadOnlyList<string> Commands, IReadOnlyList<DrillLogLine> Log);

/// <summary>The backup that a drill restored, as it stood in the catalogue.</summary>
/// <param name="At">The moment that it shows.</param>
public sealed record DrilledBackup(string Id, string Store, DateTimeOffset At, long PlainBytes, long StoredBytes, long Rows);

/// <summary>Which programs were at work.</summary>
/// <param name="Server">Of the scratch server; null where it did not come about.</param>
public sealed record DrillVersions(string Portal, string? Original, string? Server, string? Tools);

/// <summary>What was reached and what was asked for, in seconds.</summary>
/// <param name="Canary">The newest canary that came back; null where the loss is reckoned from the snapshot.</param>
public sealed record DrillFigures(double? Recovery, double RecoveryObjective, double? Loss, double LossObjective, DateTimeOffset? Canary);

/// <summary>A part of the time to recover.</summary>
/// <param name="Seconds">How long it took.</param>
public sealed record DrillPhase(string Name, double Seconds);

/// <summary>A question of the administrator, and what the restored database answered.</summary>
/// <param name="Answer">The first value; null where there was none.</param>
/// <param name="Problem">Why it could not be asked.</param>
public sealed record CheckedAnswer(string Name, string Sql, string Expected, string? Answer, bool Passed, string? Problem);

/// <summary>A line that a drill wrote about itself.</summary>
public sealed record DrillLogLine(DateTimeOffset At, string Text);

/// <summary>What people added to a drill before it was signed off.</summary>
/// <param name="RecordSeal">Of the record that was signed.</param>
public sealed record DrillReview(string RecordSeal, string Lessons, string? LessonsBy, IReadOnlyList<ReviewedAction> Actions, string SignedOffBy, Guid? SignedOffById);

/// <summary>An action as it stood when its drill was signed.</summary>
/// <param name="DoneAt">Null where it was still to be done.</param>
public sealed record ReviewedAction(string Text, string Owner, DateTimeOffset? DoneAt);
