using Portal.Domain.Monitoring;
using Portal.Domain.Shared;

namespace Portal.Tests.Monitoring;

public class MonitorTargetTests
{
    [Theory]
    [InlineData(MonitorKind.Http, "https://Shop.example.com", "https://shop.example.com/")]
    [InlineData(MonitorKind.Tcp, "tcp://db.example.com:5432", "tcp://db.example.com:5432")]
    [InlineData(MonitorKind.Tcp, " DB.example.com:5432 ", "tcp://db.example.com:5432")]
    [InlineData(MonitorKind.Tcp, "[2001:db8::1]:22", "tcp://[2001:db8::1]:22")]
    [InlineData(MonitorKind.Tls, "shop.example.com", "tls://shop.example.com:443")]
    [InlineData(MonitorKind.Tls, "tls://shop.example.com:8443/", "tls://shop.example.com:8443")]
    [InlineData(MonitorKind.Redis, "redis://cache.example.com", "redis://cache.example.com:6379")]
    [InlineData(MonitorKind.Smtp, "mail.example.com:587", "smtp://mail.example.com:587")]
    [InlineData(MonitorKind.Websocket, "wss://chat.example.com/live?room=1", "wss://chat.example.com/live?room=1")]
    [InlineData(MonitorKind.Redis, "rediss://monitor@Cache.example.com", "rediss://monitor@cache.example.com:6379")]
    [InlineData(MonitorKind.Smtp, "smtps://mail.example.com", "smtps://mail.example.com:465")]
    [InlineData(MonitorKind.Dns, "_dmarc.Example.com.", "dns://_dmarc.example.com")]
    [InlineData(MonitorKind.Dns, "bücher.example", "dns://xn--bcher-kva.example")]
    [InlineData(MonitorKind.Postgres, "postgres://monitor@DB.example.com/shop", "postgres://monitor@db.example.com:5432/shop")]
    [InlineData(MonitorKind.Postgres, "postgres://monitor@db.example.com:6432/shop?sslmode=verify-full", "postgres://monitor@db.example.com:6432/shop?sslmode=verify-full")]
    [InlineData(MonitorKind.Icmp, "router.example.com", "icmp://router.example.com")]
    [InlineData(MonitorKind.Icmp, "icmp://[2001:db8::1]", "icmp://[2001:db8::1]")]
    [InlineData(MonitorKind.Grpc, "orders.example.com", "grpcs://orders.example.com:443")]
    [InlineData(MonitorKind.Grpc, "grpc://orders.example.com:50051", "grpc://orders.example.com:50051")]
    [InlineData(MonitorKind.Heartbeat, "", "heartbeat:")]
    public void An_address_of_its_kind_is_written_in_full(MonitorKind kind, string typed, string written)
    {
        Assert.Equal(written, MonitorTarget.Valid(kind, typed, builtIn: false));
        Assert.Equal(written, MonitorTarget.Valid(kind, written, builtIn: false));
    }

    [Theory]
    [InlineData(MonitorKind.Http, "tcp://db.example.com:5432", "http:// or https://")]
    [InlineData(MonitorKind.Http, "shop.example.com", "http:// or https://")]
    [InlineData(MonitorKind.Tcp, "db.example.com", "must name a port")]
    [InlineData(MonitorKind.Tcp, "https://db.example.com:5432", "begins with tcp://")]
    [InlineData(MonitorKind.Tcp, "tcp://:5432", "begins with tcp://")]
    [InlineData(MonitorKind.Tcp, "tcp://db.example.com:99999", "begins with tcp://")]
    [InlineData(MonitorKind.Tcp, "tcp://db.example.com:5432/path", "nothing behind")]
    [InlineData(MonitorKind.Tls, "tls://shop.example.com?x=1", "nothing behind")]
    [InlineData(MonitorKind.Redis, "redis://:secret@cache.example.com", "must not contain a password")]
    [InlineData(MonitorKind.Tcp, "tcp://user@cache.example.com:1", "user name or password")]
    [InlineData(MonitorKind.Smtp, "http://mail.example.com", "begins with smtps:// or smtp://")]
    [InlineData(MonitorKind.Websocket, "https://chat.example.com/live", "ws:// or wss://")]
    [InlineData(MonitorKind.Tcp, "self:/health/live", "by HTTP only")]
    [InlineData(MonitorKind.Tcp, "", "required")]
    [InlineData(MonitorKind.Grpc, "grpc://orders.example.com", "must name a port")]
    [InlineData(MonitorKind.Postgres, "postgres://db.example.com/shop", "user, host and database")]
    [InlineData(MonitorKind.Postgres, "postgres://monitor@db.example.com/shop?host=10.0.0.1", "only ?sslmode=")]
    [InlineData(MonitorKind.Postgres, "postgres://monitor:secret@db.example.com/shop", "must not contain a password")]
    [InlineData(MonitorKind.Icmp, "icmp://router.example.com:7", "no port")]
    [InlineData(MonitorKind.Dns, "a..example.com", "name in the DNS")]
    [InlineData(MonitorKind.Dns, "shop.example.com/path", "name in the DNS")]
    public void Anything_else_is_refused_with_the_way_out(MonitorKind kind, string typed, string why)
    {
        var refusal = Assert.Throws<DomainException>(() => MonitorTarget.Valid(kind, typed, builtIn: false));
        Assert.Equal("target", refusal.Field);
        Assert.Contains(why, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_kind_has_an_example_that_it_takes()
    {
        foreach (var kind in Enum.GetValues<MonitorKind>())
        {
            var written = MonitorTarget.Valid(kind, MonitorTarget.ExampleOf(kind), builtIn: false);
            Assert.StartsWith(written[..written.IndexOf(':', StringComparison.Ordinal)], MonitorTarget.ExampleOf(kind), StringComparison.Ordinal);
        }
    }
}
