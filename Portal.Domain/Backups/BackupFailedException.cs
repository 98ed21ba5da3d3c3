namespace Portal.Domain.Backups;

/// <summary>Why a backup, its reading back or a restore did not go on, as far as the next step depends on it.</summary>
public enum BackupFailure
{
    /// <summary>A person must change something first: trying again ends the same way.</summary>
    Refused,
    /// <summary>A connection, a server or a store is away or slow: trying again may help.</summary>
    Passing,
    /// <summary>What is stored is not what was written: this artifact must not be used.</summary>
    Damaged,
    /// <summary>What was asked for is not there.</summary>
    Missing,
}

/// <summary>A backup, its reading back or a restore cannot go on; the text is safe to show and says what is wrong.</summary>
public sealed class BackupFailedException(BackupFailure kind, string message, Exception? inner = null) : Exception(message, inner)
{
    public BackupFailure Kind { get; } = kind;
}
