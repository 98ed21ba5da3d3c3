using System.Text.Json;

namespace Portal.Public;

/// <summary>The last model on disk, so that a start without the database still serves the page.</summary>
public sealed class ModelFile(string folder, ILogger<ModelFile> log)
{
    readonly string file = Path.Combine(folder, "model.json");

    /// <summary>Null if there is none, or none that this version understands: a page of another shape is worse than a moment without one.</summary>
    public StatusPageModel? Load()
    {
        if (!File.Exists(file)) return null;
        try
        {
            var bytes = File.ReadAllBytes(file);
            var format = JsonSerializer.Deserialize<Shape>(bytes)?.Format;
            if (format == StatusPageModel.CurrentFormat) return JsonSerializer.Deserialize<StatusPageModel>(bytes);
            log.LogWarning("The page on disk has format {Format}, this version reads {Current}: it is ignored", format, StatusPageModel.CurrentFormat);
            return null;
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException or NotSupportedException)
        {
            log.LogWarning(e, "The page on disk cannot be read: it is ignored");
            return null;
        }
    }

    /// <summary>All or nothing: a crash in between leaves the file that was there.</summary>
    public void Save(StatusPageModel model)
    {
        Directory.CreateDirectory(folder);
        var draft = file + ".new";
        using (var stream = new FileStream(draft, FileMode.Create, FileAccess.Write))
        {
            JsonSerializer.Serialize(stream, model);
            stream.Flush(flushToDisk: true);
        }
        File.Move(draft, file, overwrite: true);
    }

    sealed record Shape(int Format);
}
