using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Public;

namespace Portal.Tests.Public;

public sealed class ModelFileTests : IDisposable
{
    readonly string folder = Path.Combine(Directory.CreateTempSubdirectory("portal-model-").FullName, "published");

    ModelFile File => new(folder, NullLogger<ModelFile>.Instance);

    string Name => Path.Combine(folder, "model.json");

    [Fact]
    public void What_was_kept_is_what_is_read()
    {
        Assert.Null(File.Load());
        var model = Models.Page(nextUpdateBy: Models.Now.AddMinutes(5));
        File.Save(model);
        Assert.Equal(JsonSerializer.Serialize(model), JsonSerializer.Serialize(File.Load()));
        Assert.Equal([Name], Directory.GetFiles(folder));
    }

    [Fact]
    public void Another_format_is_ignored_and_so_is_half_a_file()
    {
        File.Save(Models.Page());
        Assert.NotNull(File.Load());
        File.Save(Models.Page() with { Format = StatusPageModel.CurrentFormat + 1 });
        Assert.Null(File.Load());
        File.Save(Models.Page());
        var whole = System.IO.File.ReadAllBytes(Name);
        System.IO.File.WriteAllBytes(Name, whole[..(whole.Length / 2)]);
        Assert.Null(File.Load());
    }

    [Fact]
    public void A_crash_while_writing_leaves_the_last_one()
    {
        File.Save(Models.Page(version: 7));
        System.IO.File.WriteAllText(Name + ".new", "{\"Format\":");
        Assert.Equal(7, File.Load()!.Version);
        File.Save(Models.Page(version: 8));
        Assert.Equal(8, File.Load()!.Version);
    }

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(folder)!, recursive: true);
}
