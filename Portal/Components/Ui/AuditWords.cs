using Portal.Components.Layout;
using Portal.Domain.Shared;

namespace Portal.Components.Ui;

/// <summary>What the actions of the audit log are in plain words, and where their subjects stand.</summary>
public static class AuditWords
{
    static readonly IReadOnlyDictionary<string, string> Words = new Dictionary<string, string>
    {
        ["incident.declared"] = "declared an incident",
        ["incident.updated"] = "told customers about an incident",
        ["incident.noted"] = "wrote a note on an incident",
        ["incident.resolved"] = "resolved an incident",
        ["incident.changed"] = "changed title, severity or impact of an incident",
        ["incident.update_edited"] = "edited an entry of an incident",
        ["portal.recovered"] = "was restored from a backup",
        ["portal.released"] = "released what was held after a restore",
        ["portal.discarded"] = "discarded what was held after a restore",
        ["job.queued"] = "queued a job",
        ["job.cancelled"] = "cancelled a job",
        ["schedule.changed"] = "gave a schedule other times",
        ["schedule.paused"] = "paused a schedule",
        ["schedule.resumed"] = "resumed a schedule",
        ["notice.dismissed"] = "dismissed a notice",
        ["backup.queued"] = "asked for a backup",
        ["backup.verification_queued"] = "asked for the verification of a backup",
        ["backup.restore_queued"] = "asked to restore a backup",
        ["backup.deleted"] = "deleted a backup",
        ["backup.pinned"] = "keeps a backup whatever the retention says",
        ["backup.released"] = "left a backup to the retention again",
        ["backup_plan.created"] = "made a backup plan",
        ["backup_plan.changed"] = "changed a backup plan",
        ["backup_plan.deleted"] = "deleted a backup plan",
        ["backup_target.added"] = "added a backup target",
        ["backup_target.changed"] = "changed the way to a backup target",
        ["backup_target.removed"] = "removed a backup target",
        ["backup_target.canary"] = "let a canary into a backup target, or took it away",
        ["drill.queued"] = "asked for a drill",
        ["drill.scheduled"] = "set when a target is drilled",
        ["drill.recorded"] = "sealed what a drill found",
        ["drill.lessons"] = "wrote what a drill taught",
        ["drill.signed_off"] = "signed off a drill",
        ["drill_action.added"] = "added an action to a drill",
        ["drill_action.done"] = "marked an action of a drill as done",
        ["drill_action.reopened"] = "opened an action of a drill again",
        ["drill_check.added"] = "added a question to the drills of a target",
        ["drill_check.removed"] = "removed a question from the drills of a target",
        ["backup_store.added"] = "added a backup store",
        ["backup_store.secret_entered"] = "entered the secret key of a backup store",
        ["backup_store.retired"] = "retired a backup store",
        ["backup_store.tried"] = "tried a backup store",
        ["backup_store.adopted"] = "took backups of a store into the catalogue",
        ["backup_store.sheet_made"] = "made the recovery sheet of a backup store",
        ["backup_store.sheet_confirmed"] = "confirmed the recovery sheet of a backup store",
        ["maintenance.scheduled"] = "scheduled maintenance",
        ["maintenance.changed"] = "changed planned maintenance",
        ["maintenance.started"] = "started maintenance before its time",
        ["maintenance.verified"] = "began to verify maintenance",
        ["maintenance.ended"] = "ended maintenance before its time",
        ["maintenance.cancelled"] = "cancelled maintenance",
        ["maintenance.reinstated"] = "took back the cancellation of maintenance",
        ["maintenance.updated"] = "told customers about maintenance",
        ["maintenance.noted"] = "wrote a note on maintenance",
        ["component.added"] = "added a component",
        ["component.changed"] = "changed a component",
        ["component.deleted"] = "deleted a component",
        ["component.status_set"] = "set the status of a component",
        ["component.status_cleared"] = "released the status of a component",
        ["component_group.added"] = "added a group of components",
        ["component_group.renamed"] = "renamed a group of components",
        ["component_group.deleted"] = "deleted a group of components",
        ["components.arranged"] = "arranged the components",
        ["monitor.created"] = "created a monitor",
        ["monitor.changed"] = "changed a monitor",
        ["monitor.paused"] = "paused a monitor",
        ["monitor.resumed"] = "resumed a monitor",
        ["monitor.deleted"] = "deleted a monitor",
        ["monitor.check-requested"] = "asked for a check of a monitor",
        ["monitor.tried"] = "tried the settings of a monitor",
        ["place.joined"] = "looks from a new place",
        ["place.removed"] = "removed a place",
        ["monitor.heartbeat-key-renewed"] = "gave a heartbeat a new address",
        ["monitors.imported"] = "imported monitors",
        ["monitors.import-undone"] = "took back an import of monitors",
        ["monitors.seeded"] = "made the first monitors",
        ["person.first-administrator"] = "made the first administrator",
        ["person.set-up-offered"] = "offered a link for the first administrator",
        ["person.added"] = "added a person",
        ["person.changed"] = "changed a person",
        ["person.deactivated"] = "deactivated a person",
        ["person.reactivated"] = "reactivated a person",
        ["person.invited-again"] = "made a new link for a person",
        ["person.password-reset"] = "reset a password",
        ["person.password-chosen"] = "chose a password",
        ["person.password-changed"] = "changed a password",
        ["person.signed-in"] = "signed in",
        ["person.signed-out"] = "signed out",
        ["session.revoked"] = "ended a session",
        ["sign-in.throttled"] = "had to wait after failed sign-ins",
        ["api-key.created"] = "created an API key",
        ["api-key.revoked"] = "revoked an API key",
        ["demo.filled"] = "filled in the demonstration data",
    };

    public static IEnumerable<string> Known => Words.Keys;

    /// <summary>Verb and noun, to stand between who did it and the name of the subject.</summary>
    public static string For(string action) => Words.GetValueOrDefault(action, action);

    /// <summary>Where the subject can be seen; null where it cannot, or not by this actor.</summary>
    public static string? AddressOf(string action, string subject, Actor actor)
    {
        var address = action.Split('.') switch
        {
            [_, "deleted" or "tried"] => null,
            ["incident", _] => $"/ops/incidents/{subject}",
            ["maintenance", _] => $"/ops/maintenance/{subject}",
            ["monitor", _] => $"/ops/monitors/{subject}",
            ["monitors", _] => "/ops/monitors",
            ["place", _] => "/ops/monitors/places",
            ["job", _] => $"/admin/jobs/{subject}",
            ["schedule", _] => "/admin/jobs",
            ["backup" or "backup_plan" or "backup_target" or "backup_store", _] => "/admin/backups",
            ["drill", "recorded" or "lessons" or "signed_off"] => $"/admin/drills/{subject}",
            ["drill" or "drill_action" or "drill_check", _] => "/admin/drills",
            ["component" or "component_group" or "components", _] => "/admin/components",
            ["person", _] => "/admin/people",
            ["api-key", _] => "/admin/api-keys",
            _ => null,
        };
        return address is not null && StaffNavigation.At(address) is { } place && actor.May(place.Needs) ? address : null;
    }
}
