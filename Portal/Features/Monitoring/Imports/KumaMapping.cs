using System.Globalization;
using System.Text;
using System.Text.Json;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;

namespace Portal.Features.Monitoring.Imports;

/// <summary>What a monitor of Uptime Kuma is here.</summary>
sealed class KumaMapping
{
    static readonly Dictionary<string, string> Lacking = new()
    {
        ["group"] = "A group is no monitor here: its members bear its name as a tag.",
        ["docker"] = "Containers are not looked at. Watch the port or page that the container serves.",
        ["steam"] = "Game servers are not asked. Watch a port that takes connections by TCP.",
        ["gamedig"] = "Game servers are not asked. Watch a port that takes connections by TCP.",
        ["mqtt"] = "There is no kind for MQTT. Watch its port by TCP.",
        ["kafka-producer"] = "There is no kind for Kafka. Watch its port by TCP.",
        ["sqlserver"] = "There is no kind for SQL Server. Watch its port by TCP.",
        ["mysql"] = "There is no kind for MySQL. Watch its port by TCP.",
        ["mongodb"] = "There is no kind for MongoDB. Watch its port by TCP.",
        ["radius"] = "There is no kind for RADIUS.",
        ["tailscale-ping"] = "There is no kind for Tailscale. Watch the host by ICMP echo.",
        ["grpc-keyword"] = "Only grpc.health.v1 is asked over gRPC; this one calls another method.",
    };

    readonly KumaMonitor from;
    readonly List<string> notes = [];
    readonly Dictionary<string, string> secrets = new(StringComparer.OrdinalIgnoreCase);

    KumaMapping(KumaMonitor from) => this.from = from;

    /// <param name="names">Those that are taken; the new one is added.</param>
    public static WantedMonitor Map(KumaMonitor from, IReadOnlyDictionary<string, KumaMonitor> groups, HashSet<string> names)
    {
        var mapping = new KumaMapping(from);
        if (!from.IsObject) return LeftOut(from, $"Entry {from.Position}", "It is no monitor but something else.");
        var name = mapping.Named(names);
        try
        {
            var type = from.Text("type") ?? "";
            if (type is "grpc-keyword" && from.Text("grpcServiceName")?.EndsWith("Health", StringComparison.Ordinal) == true && "check".Equals(from.Text("grpcMethod"), StringComparison.OrdinalIgnoreCase)) type = "grpc";
            if (Lacking.TryGetValue(type, out var why)) return LeftOut(from, name, why);
            var settings = mapping.Common(mapping.Target(type) with { Name = name, Tags = mapping.Tags(groups) });
            var inverted = from.Flag("upsideDown");
            mapping.Note(inverted, "It was upside down (up while its target is down), which does not exist here: it is made paused.");
            return new(from.Position, name, (_, _) => settings) { Paused = inverted || !from.Flag("active", otherwise: true), Secrets = mapping.secrets, Notes = mapping.notes, OnlyNew = true };
        }
        catch (DomainException e)
        {
            return LeftOut(from, name, e.Message);
        }
    }

    static WantedMonitor LeftOut(KumaMonitor from, string name, string why) => new(from.Position, name, (_, _) => throw new DomainException(why)) { LeftOut = why, OnlyNew = true };

    void Note(bool applies, string text)
    {
        if (applies) notes.Add(text);
    }

    string Named(HashSet<string> names)
    {
        var given = new string([.. (from.Name ?? "").Select(c => char.IsControl(c) ? ' ' : c)]).Trim();
        var name = given.Length == 0 ? $"Monitor {from.Position}" : given.Length <= Domain.Shared.Text.NameLength ? given : given[..(Domain.Shared.Text.NameLength - 1)].TrimEnd() + "…";
        Note(given.Length == 0, "It had no name.");
        Note(given.Length > Domain.Shared.Text.NameLength, "Its name is shortened.");
        var unique = name;
        for (var i = 2; !names.Add(unique); i++) unique = $"{(name.Length > 90 ? name[..90] : name)} ({i})";
        Note(unique != name, "Another one of the backup has the same name: a number is put behind it.");
        return unique;
    }

    MonitorSettings Target(string type) => type switch
    {
        "http" or "keyword" or "json-query" or "real-browser" => Http(type),
        "port" => Of(MonitorKind.Tcp, $"tcp://{Host()}:{Port() ?? throw new DomainException("It names no port.")}"),
        "ping" => Of(MonitorKind.Icmp, $"icmp://{Host()}"),
        "dns" => Dns(),
        "push" => Push(),
        "postgres" => Database(MonitorKind.Postgres, from.Text("databaseConnectionString"), new() { Query = from.Text("databaseQuery") }),
        "redis" => Database(MonitorKind.Redis, from.Text("databaseConnectionString"), MonitorOptions.None),
        "grpc" => Of(MonitorKind.Grpc, $"{(from.Flag("grpcEnableTls") ? "grpcs" : "grpc")}://{from.Text("grpcUrl")}"),
        _ => throw new DomainException($"There is no kind for \"{MonitorCsv.Short(type)}\" here."),
    };

    MonitorSettings Http(string type)
    {
        var method = from.Text("method")?.ToUpperInvariant() ?? "GET";
        var body = from.Text("body");
        var sends = body is not null && method is not ("GET" or "HEAD");
        Note(body is not null && !sends, $"A {method} request is sent without its body.");
        Note(type == "real-browser", "Only the page itself is fetched, without a browser.");
        Headers(sends);
        var options = new MonitorOptions { Method = method, Body = sends ? body : null, FollowRedirects = from.Number("maxredirects") == 0 ? false : null };
        if (type == "keyword" && from.Text("keyword") is { } keyword) options = from.Flag("invertKeyword") ? options with { RejectText = keyword } : options with { ExpectText = keyword };
        if (type == "json-query") options = Query(options);
        if (from.Flag("expiryNotification") && from.Text("url")?.StartsWith("https:", StringComparison.OrdinalIgnoreCase) == true)
        {
            options = options with { ExpectCertificateDays = 7 };
            notes.Add("A certificate that is valid for less than 7 days counts as a failed check; there it was only told of.");
        }
        Note(from.Flag("ignoreTls"), "Errors of its certificate are not overlooked here: it is down while the certificate is not trusted.");
        var codes = from.List("accepted_statuscodes").Where(c => c.ValueKind == JsonValueKind.String).Select(c => c.GetString()!).ToList();
        return Of(MonitorKind.Http, from.Text("url") ?? throw new DomainException("It has no address."), options) with { ExpectStatus = codes.Count > 0 ? string.Join(',', codes) : "200-299" };
    }

    MonitorSettings Dns()
    {
        var servers = (from.Text("dns_resolve_server") ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        Note(servers.Length > 1, "Only the first of its name servers is asked.");
        var type = from.Text("dns_resolve_type") ?? "A";
        if (!MonitorOptions.RecordTypes.Contains(type)) throw new DomainException($"Records of the type {MonitorCsv.Short(type)} are not looked up here.");
        var server = servers.FirstOrDefault();
        if (server?.Contains(':', StringComparison.Ordinal) == true && !server.StartsWith('[')) server = $"[{server}]";
        return Of(MonitorKind.Dns, Host(), new() { RecordType = type, Resolver = server is null || Port() is null or 53 ? server : $"{server}:{Port()}" });
    }

    MonitorSettings Push()
    {
        var grace = (from.Number("maxretries") ?? 0) * (from.Number("retryInterval") ?? 0);
        notes.Add("Its job must call a new address, which is shown once after the import; the old one is unknown here.");
        return Of(MonitorKind.Heartbeat, MonitorTarget.Heartbeat, new() { PeriodSeconds = (int)Math.Clamp(from.Number("interval") ?? 60, 10, 31_622_400), GraceSeconds = (int)Math.Clamp(grace > 0 ? grace : 60, 0, 604_800) });
    }

    MonitorSettings Database(MonitorKind kind, string? connection, MonitorOptions options)
    {
        if (!Uri.TryCreate(connection, UriKind.Absolute, out var uri) || uri.Host.Length == 0) throw new DomainException("Its connection string is no address like postgres://user:password@host/database or redis://host.");
        var user = uri.UserInfo.Split(':', 2);
        if (user is [_, { Length: > 0 } password]) secrets[MonitorSecrets.Password] = Uri.UnescapeDataString(password);
        var scheme = uri.Scheme is "postgresql" ? "postgres" : uri.Scheme;
        var path = kind == MonitorKind.Postgres ? uri.AbsolutePath : "";
        Note(kind == MonitorKind.Redis && uri.AbsolutePath.Trim('/').Length > 0, "The number of the database is not used: PING is answered by the whole server.");
        var mode = uri.Query.TrimStart('?').Split('&').FirstOrDefault(p => p is "sslmode=disable" or "sslmode=prefer" or "sslmode=require" or "sslmode=verify-full");
        Note(kind == MonitorKind.Postgres && uri.Query.Length > 1 && uri.Query != $"?{mode}", "Of the options behind the database only sslmode is used.");
        Note(kind == MonitorKind.Postgres && secrets.Count > 0 && mode != "sslmode=verify-full", "A server that wants the password in clear gets it only with ?sslmode=verify-full behind the address.");
        return Of(kind, $"{scheme}://{(user[0].Length > 0 ? user[0] + "@" : "")}{uri.Host}{(uri.Port > 0 ? $":{uri.Port}" : "")}{path}{(mode is null ? "" : $"?{mode}")}", options);
    }

    static MonitorSettings Of(MonitorKind kind, string target, MonitorOptions? options = null) => new("", kind, target, TimeSpan.Zero, TimeSpan.Zero, null, Options: options);

    string Host()
    {
        var host = from.Text("hostname")?.Trim() ?? throw new DomainException("It names no host.");
        return host.Contains(':', StringComparison.Ordinal) && !host.StartsWith('[') ? $"[{host}]" : host;
    }

    int? Port() => from.Number("port") is >= 1 and <= 65_535 and var port ? (int)port : null;

    MonitorOptions Query(MonitorOptions options)
    {
        var path = from.Text("jsonPath") ?? "$";
        try
        {
            var clean = JsonPath.Parse(path.StartsWith('$') ? path : "$." + path).ToString();
            return options with { ExpectJsonPath = clean, ExpectJsonValue = from.Text("expectedValue") };
        }
        catch (DomainException)
        {
            notes.Add($"Its query \"{MonitorCsv.Short(path)}\" is more than a path, which is all that is known here: only the status is judged.");
            return options;
        }
    }

    void Headers(bool sendsBody)
    {
        if (sendsBody) Header("Content-Type", from.Text("httpBodyEncoding") switch { "xml" => "text/xml; charset=utf-8", "form" => "application/x-www-form-urlencoded", _ => "application/json" });
        if (from.Text("headers") is { } headers)
            try
            {
                using var document = JsonDocument.Parse(headers, new JsonDocumentOptions { MaxDepth = 4 });
                foreach (var header in document.RootElement.EnumerateObject()) Header(header.Name, header.Value.ToString());
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException)
            {
                notes.Add("Its headers are no JSON object and are left out.");
            }
        var method = from.Text("authMethod");
        if (method is null or "basic" && from.Text("basic_auth_user") is { } user) Header("Authorization", "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{from.Text("basic_auth_pass")}")));
        Note(method is "ntlm" or "oauth2-cc" or "mtls", $"It signs in by {(method == "mtls" ? "a certificate of its own" : method == "ntlm" ? "NTLM" : "OAuth")}, which is not known here: it is asked without.");
    }

    void Header(string name, string value)
    {
        try
        {
            MonitorSecrets.Merge(MonitorKind.Http, new Dictionary<string, string?> { [name] = value }, MonitorSecrets.None, moved: false);
            secrets[name] = value;
        }
        catch (DomainException)
        {
            notes.Add($"The header {MonitorCsv.Short(name)} is left out: it cannot be set here.");
        }
    }

    MonitorTags Tags(IReadOnlyDictionary<string, KumaMonitor> groups)
    {
        var tags = new List<string>();
        var (parent, depth) = (from.Parent, 0);
        for (; parent is not null && groups.TryGetValue(parent, out var group) && depth < 20; parent = group.Parent, depth++) Add(group.Name);
        foreach (var tag in from.List("tags").Where(t => t.ValueKind == JsonValueKind.Object))
        {
            string? Part(string name) => tag.TryGetProperty(name, out var part) && part.ValueKind == JsonValueKind.String && part.GetString() is { Length: > 0 } text ? text : null;
            if (Part("name") is { } name) Add(Part("value") is { } value ? $"{name.Replace(':', '-')}:{value}" : name);
        }
        List<string> all = [.. tags.Distinct()];
        Note(all.Count > MonitorTags.Most, $"Only {MonitorTags.Most} of its {all.Count} tags are kept.");
        return MonitorTags.Of(all.Take(MonitorTags.Most));

        void Add(string? text)
        {
            if (text is null) return;
            if (MonitorTags.Nearest(text) is { } tag) tags.Add(tag);
            else notes.Add($"The tag \"{MonitorCsv.Short(text)}\" has nothing that a tag can have, and is left out.");
        }
    }

    MonitorSettings Common(MonitorSettings settings)
    {
        var beats = settings.Kind == MonitorKind.Heartbeat;
        var asked = from.Number("interval") ?? 60;
        var interval = Math.Clamp(Math.Floor(beats ? Math.Min(asked, 60) : asked), 10, 86_400);
        Note(!beats && interval != asked, $"Checked every {Number(interval)} s instead of {Number(asked)} s.");
        var longest = from.Number("timeout") is > 0 and var given ? given : interval * 0.8;
        var timeout = Math.Floor(Math.Clamp(longest, 1, Math.Min(60, interval)));
        Note(!beats && from.Number("timeout") is > 0 && timeout != longest, $"Its time-out is {Number(timeout)} s instead of {Number(longest)} s.");
        var retries = Math.Max(0, from.Number("maxretries") ?? 0);
        var failures = beats ? 1 : (int)Math.Min(10, retries + 1);
        Note(!beats && retries + 1 > 10, $"An outage is confirmed by 10 failures instead of {Number(retries + 1)}.");
        Note(!beats && retries > 0 && from.Number("retryInterval") is > 0 and var retry && retry != asked, "After a failure it is looked at again at its usual interval, not sooner or later.");
        Note(from.Number("resendInterval") > 0, "That it is still down is not told again and again.");
        Note(from.Number("proxyId") is not null, "It connects directly, without its proxy.");
        Note(from.Members("notificationIDList") is > 0, "It tells nobody by itself: its notifications are not taken over.");
        Note(from.Text("description") is not null, "Its description is left out.");
        return settings with { Interval = TimeSpan.FromSeconds(interval), Timeout = TimeSpan.FromSeconds(timeout), FailuresBeforeDown = failures, Window = failures };
    }

    static string Number(double number) => number.ToString("0.##", CultureInfo.InvariantCulture);
}
