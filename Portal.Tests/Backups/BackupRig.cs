using System.Text;
using Portal.Domain.Backups;
using Portal.Domain.Shared;
using Portal.Infrastructure.Backups;
using Portal.Tests.Support;

namespace Portal.Tests.Backups;

/// <summary>A store in a folder of a test's own, a key, and what is made with them.</summary>
sealed class BackupRig : IDisposable
{
    readonly ScratchFolder scratch = new();
    int made;

    public BackupRig()
    {
        Directory.CreateDirectory(scratch.Path);
        Store = new LocalStore(Folder);
        Reader = new ArtifactReader(Store);
    }

    public FakeClock Clock { get; } = new();
    public DataKey Key { get; } = DataKey.Make(Id.New<BackupKeyId>(new DateTimeOffset(2026, 3, 2, 9, 0, 0, TimeSpan.Zero)));
    public string Folder => scratch["store"];
    public string Scratch => scratch["scratch"];
    public LocalStore Store { get; }
    public ArtifactReader Reader { get; }

    public static void Ignored(ArtifactProgress progress) { }

    public string this[string name] => scratch[name];

    public string FileOf(string name) => Path.Combine(Folder, name);

    public ArtifactWriter.Order Order(string target = "shop", int level = 1) =>
        new(Id.New<BackupId>(Clock.GetUtcNow().AddSeconds(made++)), target, Key, level, "0.1.0");

    public Task<BackupManifest> Write(IBackupSource source, ArtifactWriter.Order? order = null, IBackupStore? store = null, CancellationToken ct = default) =>
        new ArtifactWriter(Clock).Write(order ?? Order(), source, store ?? Store, Ignored, ct);

    /// <summary>Every file below the store, finished or not.</summary>
    public IReadOnlyList<string> Files => Directory.Exists(Folder)
        ? [.. Directory.EnumerateFiles(Folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }).Select(f => Path.GetRelativePath(Folder, f)).Order(StringComparer.Ordinal)] : [];

    public void Dispose() => scratch.Dispose();
}

/// <summary>A source of given bytes, in pieces, that may fail in the middle.</summary>
sealed class GivenBytes(byte[] content, Exception? failure = null) : IBackupSource
{
    public GivenBytes(string text) : this(Encoding.UTF8.GetBytes(text)) { }

    public ContentKind Kind => ContentKind.Directory;

    public async Task<SourceFacts> Write(Stream to, CancellationToken ct)
    {
        foreach (var piece in content.Chunk(10_000)) await to.WriteAsync(piece, ct);
        if (failure is not null) throw failure;
        return new SourceFacts(Kind, null, null, null, null, new DirectoryContents(1, content.Length));
    }
}
