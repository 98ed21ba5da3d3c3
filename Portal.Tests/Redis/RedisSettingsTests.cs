using Portal.Infrastructure.Redis;
using Portal.Tests.Support;

namespace Portal.Tests.Redis;

public class RedisSettingsTests
{
    [Theory]
    [InlineData("redis.example.com:port")]
    [InlineData("redis.example.com:0")]
    [InlineData("redis.example.com:99999")]
    [InlineData("two words")]
    [InlineData("password=hunter2")]
    [InlineData("host,pasword=hunter2")]
    [InlineData("host,defaultDatabase=hunter2")]
    [InlineData("host,ssl=true,password=hunter2")]
    [InlineData("host,user=portal,password=hunter2")]
    [InlineData("unix:relative.sock")]
    [InlineData("unix:")]
    [InlineData("unix:/run/redis.sock,host:6379")]
    [InlineData("hunter2@host:6379")]
    [InlineData("redis://:hunter2@host:6379")]
    public void What_is_malformed_stops_the_start_with_one_line_that_names_the_key_and_no_password(string text)
    {
        var problem = Assert.Single(Configured.Read(("Redis:ConnectionString", text)).Problems);
        Assert.StartsWith("Redis:ConnectionString: ", problem, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', problem);
        Assert.DoesNotContain("hunter2", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Tls_is_refused_with_the_ways_out()
    {
        Assert.False(RedisSettings.TryRead("host:6380,ssl=true", out _, out var problem));
        Assert.Contains("TLS tunnel", problem, StringComparison.Ordinal);
        Assert.Contains("unix socket", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("host", "Unspecified/host:6379")]
    [InlineData("host:6380,password=a=b c", "Unspecified/host:6380")]
    [InlineData("10.0.0.5:6380, ssl=false", "10.0.0.5:6380")]
    [InlineData("10.0.0.5", "10.0.0.5:6379")]
    [InlineData("[::1]:6380", "[::1]:6380")]
    [InlineData("one,two:7000,connectTimeout=100", "Unspecified/one:6379 Unspecified/two:7000")]
    public void Servers_are_read_with_their_ports(string text, string servers)
    {
        Assert.True(RedisSettings.TryRead(text, out var settings, out _));
        Assert.Equal(servers, string.Join(' ', settings.Servers));
    }

    [Fact]
    public void A_socket_is_a_path()
    {
        Assert.True(RedisSettings.TryRead("unix:/run/redis/redis.sock,password=x", out var settings, out _));
        Assert.Equal(("/run/redis/redis.sock", 0), (settings.Socket, settings.Servers.Count));
    }
}
