using Portal.Domain.Shared;

namespace Portal.Domain.Backups;

public readonly record struct BackupId(Guid Value) : IId<BackupId>
{
    public static BackupId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

public readonly record struct BackupKeyId(Guid Value) : IId<BackupKeyId>
{
    public static BackupKeyId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}
