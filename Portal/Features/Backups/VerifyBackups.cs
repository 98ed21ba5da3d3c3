using System.Text.Json;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Features.Jobs;

namespace Portal.Features.Backups;

/// <summary>Reads a backup to the end of its archive once more: what was whole a year ago need not be today.</summary>
public sealed class VerifyBackups(BackupWork work) : JobKind
{
    public const string Kind = "backup-verification";

    public sealed record Arguments(string Backup);

    public sealed record Outcome(string Backup, string Level);

    public override string Name => Kind;

    public override string Title => "Verification of a backup";

    public override RunRules Rules(string arguments) => new(Attempts: 3, Repeatable: true);

    public override string? InWords(JsonElement result) => "it can be read to its end, and its checksums are right";

    public override async Task<object?> Run(RunContext run, CancellationToken ct)
    {
        var asked = run.Arguments<Arguments>().Backup;
        var id = Id.TryParse<BackupId>(asked, out var known) ? known : throw new DomainException($"\"{asked}\" is no id.");
        try
        {
            await work.Verify(run, id, VerificationLevel.Archive, ct);
            return new Outcome(asked, "archive");
        }
        catch (BackupFailedException e)
        {
            throw e.Kind == BackupFailure.Passing ? new PassingFailureException(e.Message, e) : new DomainException(e.Message);
        }
    }
}
