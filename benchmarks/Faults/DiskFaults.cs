using System.Diagnostics;
using Portal.E2E.Support;

namespace Portal.Benchmarks.Faults;

/// <summary>The data folder lies on a small file system that fills up, and later has room again.</summary>
static class DiskFaults
{
    public static async Task<IReadOnlyList<Figure>> Run()
    {
        var folder = Directory.CreateTempSubdirectory("portal-disk-").FullName;
        if (!await Mount("-t", "tmpfs", "-o", "size=400m,mode=0711", "tmpfs", folder))
        {
            Directory.Delete(folder);
            return [Figure.Note("disk full", "not measured: this machine does not let us mount a small file system")];
        }
        try
        {
            return await OnFull(folder);
        }
        finally
        {
            using var away = Process.Start(new ProcessStartInfo("umount", ["-l", folder]))!;
            await away.WaitForExitAsync();
            Directory.Delete(folder);
        }
    }

    static async Task<IReadOnlyList<Figure>> OnFull(string folder)
    {
        await using var portal = new PortalProcess(demo: true, folder: folder);
        await portal.Start();
        await Wait.Until("the first page is complete", async () => Reads.AreGood(await Reads.All(portal, Reads.Public)), 30);
        using var writer = new Writer(portal, "disk full");
        var filler = Path.Combine(folder, "filler");
        writer.Start();
        Fill(filler);
        var answers = new List<Reads.Answer>();
        for (var round = 0; round < 10; round++)
        {
            answers.AddRange(await Reads.All(portal, Reads.Public));
            await Task.Delay(1_000);
            Fill(filler);
        }
        File.Delete(filler);
        var clock = Stopwatch.StartNew();
        await Wait.Until("an incident can be declared", async () => await Writer.Declare(portal, "After the full disk") is not null, 60);
        await Wait.Until("it is on the page", async () => (await portal.Http.GetStringAsync("/en/")).Contains("After the full disk", StringComparison.Ordinal), 60);
        var back = clock.Elapsed;
        await writer.Stop();
        var (uncertain, taken) = (writer.Uncertain, (await writer.Settle()).Taken);
        var (lost, doubled) = await writer.Count();
        return
        [
            Figure.AtMost($"disk full: public reads not served, of {answers.Count}", answers.Count(a => (int)a.Status != 200), 0, ""),
            Figure.Note("disk full: these", Reads.Others(answers, a => (int)a.Status == 200)),
            Figure.Note("disk full, writes: confirmed; in doubt; of these keys that stay taken", $"{writer.Confirmed}; {uncertain}; {taken}"),
            Figure.AtMost("disk full: confirmed and lost", lost, 0, ""),
            Figure.AtMost("disk full: saved twice", doubled, 0, ""),
            Figure.AtMost("disk full: declared and on the page after there is room again", back.TotalSeconds, 30, " s"),
        ];
    }

    /// <summary>Until not another page fits.</summary>
    static void Fill(string path)
    {
        using var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        var block = new byte[1024 * 1024];
        for (var size = block.Length; size >= 4096;)
            try
            {
                file.Write(block, 0, size);
            }
            catch (IOException)
            {
                size /= 4;
            }
    }

    static async Task<bool> Mount(params string[] arguments)
    {
        using var mount = Process.Start(new ProcessStartInfo("mount", arguments) { RedirectStandardError = true })!;
        await mount.WaitForExitAsync();
        return mount.ExitCode == 0;
    }
}
