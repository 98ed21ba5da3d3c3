using System.Diagnostics;
using Portal.E2E.Support;

namespace Portal.Benchmarks;

/// <summary>Debian's nginx with a configuration of its own, serving the portal's very bytes from disk with gzip_static.</summary>
sealed class Nginx : IAsyncDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("portal-bench-nginx-").FullName;
    readonly Process process;

    Nginx(byte[] page, byte[] compressed)
    {
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101);
        File.WriteAllBytes(Path.Combine(folder, "index.html"), page);
        File.WriteAllBytes(Path.Combine(folder, "index.html.gz"), compressed);
        var port = Ports.Free();
        Url = $"http://127.0.0.1:{port}/";
        // The portal's published answers write no log of requests either, and carry about the same headers.
        File.WriteAllText(Path.Combine(folder, "nginx.conf"), $$"""
            daemon off;
            worker_processes auto;
            pid {{folder}}/nginx.pid;
            error_log {{folder}}/error.log;
            events { worker_connections 4096; }
            http {
              types { text/html html; }
              access_log off;
              sendfile on;
              tcp_nopush on;
              keepalive_requests 100000000;
              open_file_cache max=100;
              client_body_temp_path {{folder}}; proxy_temp_path {{folder}}; fastcgi_temp_path {{folder}}; uwsgi_temp_path {{folder}}; scgi_temp_path {{folder}};
              server {
                listen 127.0.0.1:{{port}} backlog=4096;
                root {{folder}};
                gzip_static on;
                gzip_vary on;
                add_header Cache-Control "public, max-age=0, s-maxage=10, stale-if-error=86400";
              }
            }
            """);
        process = Process.Start(new ProcessStartInfo("nginx", ["-c", Path.Combine(folder, "nginx.conf"), "-p", folder]) { RedirectStandardError = true })!;
        process.BeginErrorReadLine();
    }

    public string Url { get; }

    public static async Task<Nginx> Serving(byte[] page, byte[] compressed)
    {
        var nginx = new Nginx(page, compressed);
        using var http = new HttpClient();
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                if ((await http.GetAsync(nginx.Url)).IsSuccessStatusCode) return nginx;
            }
            catch (HttpRequestException) when (attempt < 50)
            {
                await Task.Delay(100);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        Signals.Send("QUIT", process.Id);
        await process.WaitForExitAsync();
        process.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}
