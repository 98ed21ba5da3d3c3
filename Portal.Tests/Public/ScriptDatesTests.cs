using System.Diagnostics;
using System.Text.Json;
using Portal.Public;
using Portal.Tests.HouseRules;

namespace Portal.Tests.Public;

/// <summary>The page's own script, bundled as for a browser and run without one.</summary>
public class ScriptDatesTests
{
    const string Script = """
        import { build } from 'esbuild';
        const [lang, date, months] = process.argv.slice(1);
        globalThis.document = { documentElement: { lang, dataset: { date, months } }, getElementById: () => null };
        const bundle = await build({ entryPoints: ['Portal/FrontEnd/public/times.ts'], bundle: true, write: false, format: 'esm' });
        const { showTimes } = await import('data:text/javascript;base64,' + Buffer.from(bundle.outputFiles[0].contents).toString('base64'));
        const times = Array.from({ length: 12 }, (_, i) => ({ dateTime: `2025-${`${i + 1}`.padStart(2, '0')}-05T14:20:00Z`, dataset: { at: i % 2 ? 'full' : 'clock' }, title: '', textContent: '' }));
        showTimes({ querySelectorAll: () => times });
        console.log(JSON.stringify(times.map(t => t.textContent)));
        """;

    [Fact]
    public async Task A_time_that_the_script_writes_has_the_same_months_as_the_page()
    {
        foreach (var language in PageLanguage.All)
        {
            var start = new ProcessStartInfo("node", ["--input-type=module", "-e", Script, language.Code, language.Text["date"], language.Text["months.short"]])
            { WorkingDirectory = Repository.Root, RedirectStandardOutput = true, RedirectStandardError = true };
            start.Environment["TZ"] = "UTC";
            using var node = Process.Start(start)!;
            var (output, error) = (node.StandardOutput.ReadToEndAsync(), node.StandardError.ReadToEndAsync());
            await node.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token);
            Assert.True(node.ExitCode == 0, await error);
            var expected = Enumerable.Range(1, 12).Select(month => language.Text.Of("moment", language.Date(new DateOnly(2025, month, 5)), "14:20 UTC"));
            Assert.Equal(expected, JsonSerializer.Deserialize<string[]>(await output));
        }
    }
}
