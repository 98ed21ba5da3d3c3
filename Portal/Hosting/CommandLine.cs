namespace Portal.Hosting;

/// <summary>What stands behind the program's name: a first word, switches of our own, and configuration keys.</summary>
/// <param name="Word">A command beside the server, such as <c>migrate</c>; null starts the server.</param>
/// <param name="Rest">What follows the word, switches taken out.</param>
/// <param name="Settings">Configuration that wins over files and environment.</param>
public sealed record CommandLine(string? Word, IReadOnlyList<string> Rest, IReadOnlyDictionary<string, string?> Settings, IReadOnlyList<string> Problems)
{
    static readonly Dictionary<string, string> Switches = new(StringComparer.OrdinalIgnoreCase) { ["--urls"] = "Urls", ["--data"] = "Data:Path", ["--server"] = "Probe:Server", ["--key"] = "Probe:Key", ["--from"] = "Restore:From", ["--passphrase-file"] = "Restore:PassphraseFile", ["--confirm"] = "Restore:Confirm", ["--anchors"] = "Audit:Anchors" };

    // Given by the test host and by dotnet itself.
    static readonly HashSet<string> Hosting = new(StringComparer.OrdinalIgnoreCase) { "environment", "contentRoot", "applicationName", "hostBuilder" };

    public static CommandLine Parse(IReadOnlyList<string> args)
    {
        var (words, settings, problems) = (new List<string>(), new Dictionary<string, string?>(), new List<string>());
        for (var i = 0; i < args.Count; i++)
        {
            var (name, value) = Split(args[i]);
            if (!name.StartsWith("--", StringComparison.Ordinal) || name.Length == 2) words.Add(args[i]);
            // The test host passes sections themselves too, without a value: "--Database=".
            else if (value is "" && char.IsUpper(name[2])) continue;
            else if (name == "--demo" && value is null) settings["Demo"] = "true";
            else if (name == "--insecure" && value is null) settings["Probe:Insecure"] = "true";
            else if (name == "--no-build") continue;
            else if (Switches.TryGetValue(name, out var key))
            {
                value ??= i + 1 < args.Count ? args[++i] : null;
                if (string.IsNullOrEmpty(value)) problems.Add($"{name} needs a value.");
                else settings[key] = value;
            }
            else if (value is not null && (name.Contains(':', StringComparison.Ordinal) || Hosting.Contains(name[2..]))) settings[name[2..]] = value;
            else problems.Add($"There is no option {name}. Options are: --urls URL, --data DIR, --demo, and any configuration key as --Section:Key=value.");
        }
        return new CommandLine(words.FirstOrDefault(), [.. words.Skip(1)], settings, problems);
    }

    static (string Name, string? Value) Split(string argument)
    {
        var at = argument.IndexOf('=', StringComparison.Ordinal);
        return at < 0 ? (argument, null) : (argument[..at], argument[(at + 1)..]);
    }
}
