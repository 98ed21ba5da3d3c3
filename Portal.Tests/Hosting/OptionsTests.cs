using Portal.Hosting;
using Portal.Tests.Support;

namespace Portal.Tests.Hosting;

public class OptionsTests
{
    static (PortalOptions Options, IReadOnlyList<string> Problems) Read(params (string Key, string? Value)[] settings) => Configured.Read(settings);

    [Fact]
    public void What_is_shipped_is_valid_and_means_the_embedded_defaults()
    {
        var (options, problems) = Read();
        Assert.Empty(problems);
        Assert.Null(options.Database.ConnectionString);
        Assert.Null(options.Bootstrap);
        Assert.Empty(options.NotUsedYet);
        Assert.Equal(TimeSpan.FromSeconds(2), options.Timing.Follow);
    }

    [Theory]
    [InlineData("Urls", "127.0.0.1:8080")]
    [InlineData("Urls", "http://127.0.0.1:99999")]
    [InlineData("Urls", "http://alice:words@127.0.0.1:8080")]
    [InlineData("Urls", "http://unix:/run/portal.sock")]
    [InlineData("Urls", "http://unix:/run/portal.sock;http://unix:/run/other.sock")]
    [InlineData("Data:Path", " ")]
    [InlineData("Demo", "maybe")]
    [InlineData("Database:ConnectionString", "Hots=db;Database=portal")]
    [InlineData("Database:ConnectionString", "Username=portal;Database=portal")]
    [InlineData("Database:ConnectionString", "Host=db")]
    [InlineData("Database:DumpBeforeMigration", "sometimes")]
    [InlineData("Redis:ConnectionString", "redis.example.com:port")]
    [InlineData("Storage:Backups:S3:Endpoint", "s3.example.com")]
    [InlineData("Storage:Backups:S3:SecretKey", "", "Storage:Backups:S3:AccessKey", "abc")]
    [InlineData("Storage:Backups:S3:ServerSideEncryption", "rot13")]
    [InlineData("Storage:Backups:S3:ForcePathStyle", "2")]
    [InlineData("Smtp:Port", "70000")]
    [InlineData("Smtp:From", "", "Smtp:Host", "mail.example.com")]
    [InlineData("Smtp:From", "nobody", "Smtp:Host", "mail.example.com")]
    [InlineData("Sentry:Dsn", "https://sentry.example.com/1")]
    [InlineData("SENTRY_DSN", "nonsense")]
    [InlineData("Sentry:TracesSampleRate", "1.5")]
    [InlineData("OpenTelemetry:Endpoint", "collector:4318")]
    [InlineData("Bootstrap:AdminPassword", "", "Bootstrap:AdminEmail", "alice@example.com")]
    [InlineData("Bootstrap:AdminEmail", "", "Bootstrap:AdminPassword", "correct horse battery")]
    [InlineData("Bootstrap:AdminEmail", "alice", "Bootstrap:AdminPassword", "correct horse battery")]
    [InlineData("Bootstrap:AdminPassword", "short", "Bootstrap:AdminEmail", "alice@example.com")]
    [InlineData("Bootstrap:ApiKey", "short")]
    [InlineData("Bootstrap:AdminPassword", " correct horse battery")]
    [InlineData("Bootstrap:AdminPassword", "correct horse battery\n")]
    [InlineData("Bootstrap:ApiKey", "0123456789abcdef ")]
    [InlineData("Smtp:Password", "correct horse ")]
    [InlineData("Storage:Backups:S3:AccessKey", " abc")]
    [InlineData("Storage:Backups:S3:SecretKey", "abc ")]
    [InlineData("Public:Logo", "/proc/self/mem")]
    [InlineData("Public:Picture", "/proc/self/mem")]
    [InlineData("Public:BaseUrl", "status.example.com")]
    [InlineData("Public:BaseUrl", "ftp://status.example.com")]
    [InlineData("Public:TimeZone", "Europe/Atlantis")]
    [InlineData("Public:FrameAncestors", "'self'; script-src *")]
    [InlineData("Network:TrustedProxies", "10.0.0.0/40")]
    [InlineData("Network:TrustedProxies:0", "proxy.example.com")]
    [InlineData("Network:ConnectivityTargets", "192.0.2.1")]
    [InlineData("Network:ConnectivityTargets:0", "https://192.0.2.1:443")]
    [InlineData("Api:RequestsPerMinute:PerKey", "many")]
    [InlineData("Api:RequestsPerMinute:PerAddress", "1.5")]
    [InlineData("Logging:Format", "xml")]
    [InlineData("Logging:Fromat", "json")]
    [InlineData("Logging:LogLevel:Portal", "Loud")]
    [InlineData("Timing:FollowSeconds", "0")]
    [InlineData("Timing:FollowSeconds", "two")]
    [InlineData("Timing:ShardRenewSeconds", "8")]
    [InlineData("Timing:FolowSeconds", "2")]
    [InlineData("Public:Titel", "Status")]
    public void A_bad_value_is_refused_in_a_line_that_names_its_key(string key, string value, string? other = null, string? otherValue = null)
    {
        (string, string?)[] settings = other is null ? [(key, value)] : [(key, value), (other, otherValue!)];
        var problems = Read(settings).Problems;
        var named = key.EndsWith(":0", StringComparison.Ordinal) ? key[..^2] : key;
        Assert.Contains(problems, p => p.StartsWith($"{named}: ", StringComparison.Ordinal) && !p.Contains('\n', StringComparison.Ordinal));
    }

    [Fact]
    public void All_mistakes_are_told_at_once_and_no_secret_with_them()
    {
        var problems = Read(("Public:TimeZone", "Mars"), ("Smtp:Port", "x"), ("Database:ConnectionString", "Host=db;Pasword=hunter2"), ("Bootstrap:AdminPassword", "hunter2")).Problems;
        Assert.True(problems.Count >= 4);
        Assert.DoesNotContain(problems, p => p.Contains("hunter2", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("https://alice:hunter2@collector.example.com:4318/")]
    [InlineData("https://alice:hunter2@collector.example.com:port/a b")]
    [InlineData("alice:hunter2;x,y z@collector.example.com")]
    [InlineData("collector.example.com/?key=hunter2")]
    [InlineData("host=db;pasword=hunter2")]
    [InlineData(" hunter2@hunter2 ")]
    public void No_refusal_repeats_a_password_whatever_key_it_was_given_to(string value)
    {
        var refused = 0;
        foreach (var key in ConfigurationSources.KnownKeys().Concat(["Network:TrustedProxies:0", "Logging:LogLevel:Portal", "SENTRY_DSN", "Public:Titel"]))
        {
            var problems = Read((key, value)).Problems;
            refused += problems.Count(p => p.StartsWith($"{key}: ", StringComparison.OrdinalIgnoreCase));
            Assert.DoesNotContain(problems, p => p.Contains("hunter2", StringComparison.Ordinal));
        }
        Assert.True(refused > 20, $"Only {refused} keys refused it.");
    }

    [Fact]
    public void A_password_is_taken_as_it_is_with_the_blanks_inside()
    {
        var (options, problems) = Read(("Smtp:Host", "mail.example.com"), ("Smtp:From", "status@example.com"), ("Smtp:User", "portal"), ("Smtp:Password", "secret  words"));
        Assert.Empty(problems);
        Assert.Equal("secret  words", options.Smtp?.Password);
    }

    [Fact]
    public void A_socket_may_stand_beside_an_address() =>
        Assert.Empty(Read(("Urls", "http://unix:/run/portal.sock;http://127.0.0.1:8080")).Problems);

    [Fact]
    public void Pictures_of_the_page_lie_in_the_data_folder_unless_their_path_says_otherwise()
    {
        using var data = new ScratchFolder();
        Directory.CreateDirectory(data["look"]);
        File.WriteAllText(data["look", "logo.svg"], "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 2 1\"/>");
        var relative = Read(("Data:Path", data.Path), ("Public:Logo", "look/logo.svg"));
        Assert.Empty(relative.Problems);
        Assert.Equal(2, relative.Options.Public.Brand.Logo?.Width);
        Assert.Empty(Read(("Data:Path", "/nowhere"), ("Public:Logo", data["look", "logo.svg"])).Problems);
        Assert.Equal("Public:Logo: \"/nowhere/look/logo.svg\" is no file.", Assert.Single(Read(("Data:Path", "/nowhere"), ("Public:Logo", "look/logo.svg")).Problems));
    }

    [Fact]
    public void Good_values_arrive_typed()
    {
        var (options, problems) = Read(
            ("Public:BaseUrl", "https://status.example.com"), ("Public:TimeZone", "Europe/Berlin"), ("Network:TrustedProxies", "10.0.0.5, 10.1.0.0/16"), ("Smtp:Host", "mail.example.com"),
            ("Smtp:From", "status@example.com"), ("Bootstrap:AdminEmail", "alice@example.com"), ("Bootstrap:AdminPassword", "correct horse battery"), ("Redis:ConnectionString", "cache:6379,password=x"));
        Assert.Empty(problems);
        Assert.Equal("Europe/Berlin", options.Public.TimeZone.Id);
        Assert.Equal(["10.0.0.5/32", "10.1.0.0/16"], options.TrustedProxies.Select(n => n.ToString()));
        Assert.Equal("alice@example.com", options.Bootstrap?.AdminEmail);
        Assert.NotNull(options.Redis);
        Assert.Equal("mail.example.com", options.Smtp?.Host);
        Assert.Empty(options.NotUsedYet);
    }

    [Fact]
    public void Blanks_around_a_value_are_no_part_of_it()
    {
        var (options, problems) = Read(
            ("Urls", " http://127.0.0.1:9000 ; http://127.0.0.1:9001/ "), ("Data:Path", " /srv/x "), ("Public:BaseUrl", " https://status.example.com/ "), ("Public:Title", " Ours "), ("Public:TimeZone", " Europe/Berlin "),
            ("Network:TrustedProxies", " 10.0.0.5 10.1.0.0/16 ,"), ("Network:ConnectivityTargets", "192.0.2.1:443, [2001:db8::1]:53 one.example:853"), ("Smtp:Host", " mail.example.com "), ("Smtp:Port", " 25 "), ("Smtp:From", "status@example.com"), ("Logging:Format", " JSON "),
            ("Api:RequestsPerMinute:PerKey", " 60 "), ("Timing:FollowSeconds", " 3 "), ("Security:MasterKeyFile", " /srv/key "));
        Assert.Empty(problems);
        Assert.Equal(["http://127.0.0.1:9000", "http://127.0.0.1:9001/"], options.Urls);
        Assert.Equal(("/srv/x", "https://status.example.com/", "Ours", "Europe/Berlin", "/srv/key"), (options.DataPath, options.Public.BaseUrl?.AbsoluteUri, options.Public.Title, options.Public.TimeZone.Id, options.MasterKeyFile));
        Assert.Equal(["10.0.0.5/32", "10.1.0.0/16"], options.TrustedProxies.Select(n => n.ToString()));
        Assert.Equal(("mail.example.com", 25, LogFormat.Json, 60, TimeSpan.FromSeconds(3)), (options.Smtp?.Host, options.Smtp?.Port, options.LogFormat, options.Api.PerKey, options.Timing.Follow));
    }

    [Fact]
    public void A_wrong_log_format_is_refused_with_those_that_there_are()
    {
        var problem = Assert.Single(Read(("Logging:Format", "xml")).Problems);
        Assert.StartsWith("Logging:Format: \"xml\" is neither json nor plain", problem, StringComparison.Ordinal);
        Assert.Equal(LogFormat.Plain, Read(("Logging:Format", "plain"), ("Logging:LogLevel:Portal.Live", "debug")).Options.LogFormat);
        Assert.Equal(LogFormat.Automatic, Read().Options.LogFormat);
    }

    [Fact]
    public void The_command_line_knows_words_switches_and_keys_and_refuses_the_rest()
    {
        var line = CommandLine.Parse(["migrate", "down", "--data", "/srv/x", "Foundation", "--Public:Title=Ours", "--no-build"]);
        Assert.Equal(("migrate", "down Foundation"), (line.Word, string.Join(' ', line.Rest)));
        Assert.Equal("/srv/x", line.Settings["Data:Path"]);
        Assert.Equal("Ours", line.Settings["Public:Title"]);
        Assert.Empty(line.Problems);
        Assert.Equal("true", CommandLine.Parse(["--demo"]).Settings["Demo"]);
        Assert.Contains("--dta", Assert.Single(CommandLine.Parse(["--dta=/srv/x"]).Problems), StringComparison.Ordinal);
        Assert.Contains("--urls needs a value", Assert.Single(CommandLine.Parse(["--urls"]).Problems), StringComparison.Ordinal);
    }
}
