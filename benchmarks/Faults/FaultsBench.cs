namespace Portal.Benchmarks.Faults;

/// <summary>The full matrix of faults, each really done to a portal of its own. <c>./test</c> holds one of each kind; here every phase and every address meets every fault.</summary>
static class FaultsBench
{
    static readonly (string Name, Func<Task<IReadOnlyList<Figure>>> Run)[] Families =
    [
        ("faults-database", DatabaseFaults.Run),
        ("faults-start", StartFaults.Run),
        ("faults-writes", WriteFaults.Run),
        ("faults-disk", DiskFaults.Run),
        ("faults-clock", ClockFaults.Run),
        ("faults-backups", BackupFaults.Run),
    ];

    /// <summary>All, or one family by its own name.</summary>
    public static IReadOnlyList<string> Names { get; } = ["faults", .. Families.Select(f => f.Name)];

    /// <param name="figures">Gets each family's as soon as they are there.</param>
    public static async Task Run(IReadOnlyCollection<string> chosen, List<Figure> figures)
    {
        foreach (var (name, run) in Families.Where(f => chosen.Contains("faults") || chosen.Contains(f.Name)))
        {
            Console.WriteLine($"Measuring: {name}");
            figures.AddRange(await run());
        }
    }
}
