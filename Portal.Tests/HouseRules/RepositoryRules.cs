using System.Text.RegularExpressions;

namespace Portal.Tests.HouseRules;

public class RepositoryRules
{
    static readonly string[] Folders = ["Portal", "Portal.Domain", "Portal.Infrastructure", "Portal.Tests", "Portal.E2E", "benchmarks", "deploy", "docs", ".ci", ".config"];

    [Fact]
    public void The_top_of_the_tree_is_the_one_that_was_decided()
    {
        Rule.Holds(StrangeFolders, Repository.Files, ["Portal.Core/A.cs"], ["src/a.txt"]);
        Rule.Holds(StrangeProjects, Repository.Read("Portal.sln"), new Source("Portal.sln", """Project("{X}") = "Portal.Core", "Portal.Core\Portal.Core.csproj", "{Y}" """));
    }

    [Fact]
    public void The_shared_kernel_and_the_table_of_contents_stay_small()
    {
        Rule.Holds(LargeKernel, Repository.Files, [.. Enumerable.Range(0, 7).Select(i => $"Portal.Domain/Shared/F{i}.cs")]);
        Rule.Holds(LongProgram, Repository.Read("Portal/Program.cs"), new Source("Portal/Program.cs", string.Concat(Enumerable.Repeat("app.Map();\n", 101))));
    }

    [Fact]
    public void No_file_names_a_package_registry_or_a_place_on_somebodys_machine()
    {
        Rule.Accepts(PlacesOutside, Rule.Plant("README.md", "dotnet restore, then npm ci"));
        Rule.Holds(PlacesOutside, TextFiles(),
            Rule.Plant("package-lock.json", """{ "resolved": "x" }"""),
            Rule.Plant("a.json", "https://registry." + "npmjs.org/x"),
            Rule.Plant("NuGet.config", "https://api.nuget." + "org/v3/index.json"),
            Rule.Plant("a.md", "see /" + "home/alice/portal"),
            Rule.Plant("a.sh", "cd /" + "tmp/wt/x"),
            Rule.Plant("a.sh", "cd /" + "work/main"));
    }

    [Fact]
    public void No_file_is_a_binary_except_small_pictures()
    {
        (string, byte[]) picture = ("docs/images/a.png", new byte[200_000]);
        Assert.Empty(Blobs([picture]));
        Rule.Holds(Blobs, Repository.Files.Select(f => (f, File.ReadAllBytes(Path.Combine(Repository.Root, f)))),
            [("a.dll", new byte[10])],
            [("docs/a.png", new byte[300_001])],
            [("data.json", [.. Enumerable.Repeat((byte)'x', 400_001)])]);
    }

    [Fact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public void Scripts_that_people_call_can_be_called()
    {
        string[] commands = ["run", "test", "bench", ".ci/run"];
        Assert.All(commands.Where(c => Repository.Files.Contains(c)), c => Assert.True((File.GetUnixFileMode(Path.Combine(Repository.Root, c)) & UnixFileMode.UserExecute) != 0, $"{c} is not executable"));
        Assert.All(commands.Where(c => Repository.Files.Contains(c)), c => Assert.StartsWith("#!", Repository.Read(c).Text));
    }

    static IReadOnlyList<Source> TextFiles() => [.. Repository.Files.Where(f => !f.EndsWith(".png", StringComparison.Ordinal)).Select(Repository.Read)];

    static IEnumerable<string> StrangeFolders(IReadOnlyList<string> files) => files.Where(f => f.Contains('/')).Select(f => f.Split('/')[0]).Distinct()
        .Where(f => !Folders.Contains(f)).Select(f => $"{f}/ does not belong at the top");

    static IEnumerable<string> StrangeProjects(Source solution) => Regex.Matches(solution.Text, "\"([^\"]+)\\.csproj\"").Select(m => m.Groups[1].Value.Replace('\\', '/'))
        .Where(p => !(Folders.Contains(p.Split('/')[0]) && (p.EndsWith('/' + p.Split('/')[0], StringComparison.Ordinal) || p == "benchmarks/Portal.Benchmarks"))).Select(p => $"{p} is a project that nobody decided on");

    static IEnumerable<string> LargeKernel(IReadOnlyList<string> files)
    {
        var shared = files.Where(f => f.StartsWith("Portal.Domain/Shared/", StringComparison.Ordinal)).ToList();
        if (shared.Count > 6) yield return $"Shared holds {shared.Count} files: {string.Join(", ", shared)}";
    }

    static IEnumerable<string> LongProgram(Source program)
    {
        var lines = program.Text.Split('\n').Length;
        if (lines > 100) yield return $"Program.cs has {lines} lines; it reads as a table of contents below 100";
    }

    // In pieces, so that this file does not break its own rule.
    static readonly Regex Outside = new(string.Join('|',
        @"registry\." + "npmjs", @"registry\." + @"yarnpkg", @"nuget\." + "org", @"pypi\." + "org", @"deb\." + @"debian\.org", @"/" + "home/[a-z]", "/" + "Users/[A-Za-z]", "/" + "tmp/wt/", "/" + @"work/(main|shared|\.)"));

    static IEnumerable<string> PlacesOutside(IReadOnlyList<Source> sources)
    {
        foreach (var source in sources)
        {
            if (Outside.Match(source.Text) is { Success: true } found) yield return $"{source.Path} holds {found.Value}";
            if (source.FileName == "package-lock.json" && source.Text.Contains("\"resolved\"", StringComparison.Ordinal)) yield return $"{source.Path} says where packages were fetched from";
        }
    }

    static IEnumerable<string> Blobs(IEnumerable<(string Path, byte[] Bytes)> files) =>
        from file in files
        let picture = file.Path.EndsWith(".png", StringComparison.Ordinal)
        where picture ? file.Bytes.Length > 300_000 : file.Bytes.Length > 400_000 || file.Bytes.AsSpan(0, Math.Min(8_000, file.Bytes.Length)).Contains((byte)0)
        select $"{file.Path} ({file.Bytes.Length:N0} bytes)";
}
