using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Portal.Domain.Backups;

/// <summary>What kind of content an artifact holds: an archive of pg_dump, or a tar of a directory.</summary>
public enum ContentKind { Database, Directory }

/// <summary>Everything about a backup that finding, checking and restoring it needs, without the portal's database. It is published last: without it the artifact does not exist.</summary>
/// <param name="Format">Of this document and of the artifact's layers; see <see cref="BackupManifest.CurrentFormat"/>.</param>
/// <param name="Database">Null for a directory.</param>
/// <param name="Directory">Null for a database.</param>
/// <param name="Audit">The head of the audit chain as it was; null where there is none to anchor.</param>
/// <param name="Carried">What only the escrow passphrase opens, by name: base64 in the layout of the key files.</param>
public sealed record BackupManifest(
    int Format,
    BackupId Id,
    string Target,
    ContentKind Kind,
    string File,
    BackupKeyId Key,
    BackupVersions Versions,
    SnapshotPosition? Snapshot,
    ContentMeasure Plain,
    ContentMeasure Stored,
    string StoredMac,
    int GzipLevel,
    DateTimeOffset StartedAt,
    DateTimeOffset FinishedAt,
    DatabaseContents? Database,
    DirectoryContents? Directory,
    AuditHead? Audit,
    IReadOnlyDictionary<string, string> Carried)
{
    /// <summary>Content, gzip, <c>openssl enc -aes-256-cbc -pbkdf2 -iter 10000 -md sha256 -salt</c>.</summary>
    public const int CurrentFormat = 1;

    static readonly JsonSerializerOptions Canon = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase), new HexId<BackupId>(), new HexId<BackupKeyId>() },
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>One line of UTF-8 without blanks, members in the order of their declaration: the same manifest always gives the same bytes.</summary>
    public byte[] CanonicalBytes() => JsonSerializer.SerializeToUtf8Bytes(this, Canon);

    /// <exception cref="BackupFailedException">The bytes are no manifest, or one of a newer format.</exception>
    public static BackupManifest Read(ReadOnlySpan<byte> canonical)
    {
        try
        {
            var format = JsonSerializer.Deserialize<FormatOnly>(canonical, Canon)?.Format ?? 0;
            if (format > CurrentFormat)
                throw new BackupFailedException(BackupFailure.Refused, $"This backup has the format {format}; this version of the portal reads {CurrentFormat} and older. Use a newer version.");
            return JsonSerializer.Deserialize<BackupManifest>(canonical, Canon) ?? throw new JsonException("It is empty.");
        }
        catch (JsonException e)
        {
            throw new BackupFailedException(BackupFailure.Damaged, $"The manifest cannot be read: {e.Message}", e);
        }
    }

    sealed record FormatOnly(int Format);

    sealed class HexId<T> : JsonConverter<T> where T : struct, Shared.IId<T>
    {
        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            Shared.Id.TryParse<T>(reader.GetString(), out var id) ? id : throw new JsonException("An id is not 32 hex digits.");

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value.ToString("N"));
    }
}

/// <summary>Which programs made a backup; those that restore it must not be older.</summary>
/// <param name="Server">Null for a directory, like <paramref name="Dump"/>.</param>
public sealed record BackupVersions(string Portal, string? Server, string? Dump);

/// <summary>Which moment of the database the backup shows.</summary>
/// <param name="Wal">The position in the write-ahead log when the snapshot was taken.</param>
/// <param name="TakenAt">By the server's clock.</param>
public sealed record SnapshotPosition(string Wal, DateTimeOffset TakenAt);

/// <summary>How much, and which bytes exactly.</summary>
/// <param name="Sha256">64 lower-case hex digits.</param>
public sealed record ContentMeasure(long Bytes, string Sha256);

/// <summary>The newest sealed row of the audit chain.</summary>
public sealed record AuditHead(long Sequence, string Hash);
