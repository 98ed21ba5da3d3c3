using System.Runtime.Versioning;
using Portal.Benchmarks;
using Portal.Benchmarks.Faults;
using Portal.E2E.Support;

[assembly: SupportedOSPlatform("linux")]

string[] figuresOfOne = ["page", "viewers", "first-load", "start"], known = [.. figuresOfOne, "results", "engine", "jobs", "backups", .. FaultsBench.Names];
string[] chosen = args.Length == 0 ? [.. figuresOfOne, "results", "engine", "jobs", "backups", "faults"] : args;
if (chosen.Except(known).FirstOrDefault() is { } unknown)
{
    Console.Error.WriteLine($"There is no benchmark \"{unknown}\". There are: {string.Join(", ", known)}.");
    return 2;
}

Console.WriteLine($"{Environment.ProcessorCount} processors, shared by the portal, its PostgreSQL and the load generator. No think time: these are figures of throughput.");
var figures = new List<Figure>();
try
{
    // The others fill or break portals of their own.
    if (chosen.Intersect(figuresOfOne).Any())
    {
        await using var portal = await PortalProcess.Start(demo: true);
        foreach (var name in chosen.Intersect(figuresOfOne))
        {
            Console.WriteLine($"Measuring: {name}");
            figures.AddRange(name switch
            {
                "page" => await PageBench.Run(portal),
                "viewers" => await ViewersBench.Run(portal),
                "first-load" => await FirstLoadBench.Run(portal),
                _ => await StartBench.Run(portal),
            });
        }
    }
    foreach (var (name, run) in new (string, Func<Task<IReadOnlyList<Figure>>>)[] { ("results", ResultsBench.Run), ("engine", EngineBench.Run), ("jobs", JobsBench.Run), ("backups", BackupsBench.Run) })
        if (chosen.Contains(name))
        {
            Console.WriteLine($"Measuring: {name}");
            figures.AddRange(await run());
        }
    await FaultsBench.Run(chosen, figures);
}
finally
{
    // What was measured before a failure is not lost with it.
    Figure.Print(figures);
}
return figures.Any(f => f.Ok == false) ? 1 : 0;
