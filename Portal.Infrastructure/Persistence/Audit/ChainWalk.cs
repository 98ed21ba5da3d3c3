using System.Globalization;
using Portal.Domain.Audit;

namespace Portal.Infrastructure.Persistence.Audit;

/// <summary>Takes the rows of the audit log one after the other and says the first thing that is wrong.</summary>
/// <param name="anchors">Of this log, the lowest first.</param>
sealed class ChainWalk(IReadOnlyList<AuditAnchor> anchors)
{
    byte[] previous = AuditSeal.Beginning;
    AuditAnchor? fitting;

    /// <summary>How many rows were found to be right; also the place of the last of them.</summary>
    public long Rows { get; private set; }

    public int Compared { get; private set; }

    public string? Take(AuditRow row)
    {
        if (row.Position != Rows + 1) return Gap(Rows + 1, row.Position!.Value - 1);
        var hash = AuditSeal.Of(previous, Rows + 1, row.Fields);
        if (!hash.AsSpan().SequenceEqual(row.Hash))
            return $"Row {Rows + 1} of the audit log ({row.Action}, {row.At}) is not as it was sealed: it, or the row before it, was changed afterwards.";
        (previous, Rows) = (hash, Rows + 1);
        for (; Compared < anchors.Count && anchors[Compared].Sequence <= Rows; Compared++)
        {
            if (anchors[Compared].Hash != Convert.ToHexStringLower(hash)) return Rewritten(anchors[Compared]);
            fitting = anchors[Compared];
        }
        return null;
    }

    /// <summary>After the last row.</summary>
    public string? End()
    {
        if (Compared == anchors.Count) return null;
        var newest = anchors[^1];
        return $"The end of the audit log is missing: {(Rows == 0 ? "it is empty" : $"it ends with row {Rows}")}, but the anchor of {Words(newest)} saw row {newest.Sequence}. What came after row {Rows} was removed.";
    }

    static string Gap(long from, long to) => from == to ? $"Row {from} of the audit log is missing." : $"Rows {from} to {to} of the audit log are missing.";

    string Rewritten(AuditAnchor anchor) => fitting is { } good
        ? $"The audit log was rewritten after row {good.Sequence}, which is still as the anchor of {Words(good)} saw it: row {anchor.Sequence} is another one than the anchor of {Words(anchor)} saw."
        : $"The whole audit log was rewritten: its seals fit each other, but row {anchor.Sequence} is another one than the anchor of {Words(anchor)} saw.";

    static string Words(AuditAnchor anchor) => anchor.At.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
}
