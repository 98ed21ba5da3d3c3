using System.Net;
using Portal.Infrastructure.Monitoring;

namespace Portal.Tests.Monitoring;

public class AddressRulesTests
{
    [Theory]
    [InlineData("8.8.8.8", AddressReach.Public)]
    [InlineData("172.15.255.255", AddressReach.Public)]
    [InlineData("172.32.0.1", AddressReach.Public)]
    [InlineData("100.63.255.255", AddressReach.Public)]
    [InlineData("100.128.0.1", AddressReach.Public)]
    [InlineData("223.255.255.255", AddressReach.Public)]
    [InlineData("10.0.0.1", AddressReach.Private)]
    [InlineData("172.16.0.1", AddressReach.Private)]
    [InlineData("172.31.255.255", AddressReach.Private)]
    [InlineData("192.168.1.1", AddressReach.Private)]
    [InlineData("127.0.0.1", AddressReach.Private)]
    [InlineData("127.255.255.254", AddressReach.Private)]
    [InlineData("169.254.169.254", AddressReach.Private)]
    [InlineData("100.64.0.1", AddressReach.Private)]
    [InlineData("198.18.0.1", AddressReach.Private)]
    [InlineData("192.0.0.8", AddressReach.Private)]
    [InlineData("203.0.113.9", AddressReach.Private)]
    [InlineData("0.0.0.0", AddressReach.Forbidden)]
    [InlineData("0.1.2.3", AddressReach.Forbidden)]
    [InlineData("224.0.0.1", AddressReach.Forbidden)]
    [InlineData("240.0.0.1", AddressReach.Forbidden)]
    [InlineData("255.255.255.255", AddressReach.Forbidden)]
    [InlineData("2606:4700::1111", AddressReach.Public)]
    [InlineData("::1", AddressReach.Private)]
    [InlineData("::", AddressReach.Forbidden)]
    [InlineData("fd00::2", AddressReach.Private)]
    [InlineData("fe80::1", AddressReach.Private)]
    [InlineData("fec0::1", AddressReach.Private)]
    [InlineData("ff02::1", AddressReach.Forbidden)]
    [InlineData("2001:db8::1", AddressReach.Private)]
    [InlineData("2001::1", AddressReach.Private)]
    [InlineData("3fff::1", AddressReach.Private)]
    [InlineData("4000::1", AddressReach.Private)]
    [InlineData("100::1", AddressReach.Private)]
    [InlineData("::ffff:8.8.8.8", AddressReach.Public)]
    [InlineData("::ffff:10.0.0.1", AddressReach.Private)]
    [InlineData("::ffff:127.0.0.1", AddressReach.Private)]
    [InlineData("::ffff:0.0.0.0", AddressReach.Forbidden)]
    [InlineData("::ffff:0:10.0.0.1", AddressReach.Private)]
    [InlineData("::10.0.0.1", AddressReach.Private)]
    [InlineData("64:ff9b::10.0.0.1", AddressReach.Private)]
    [InlineData("64:ff9b::8.8.8.8", AddressReach.Public)]
    [InlineData("64:ff9b:1::1", AddressReach.Private)]
    [InlineData("2002:0a00:0001::1", AddressReach.Private)]
    [InlineData("2002:7f00:0001::", AddressReach.Private)]
    [InlineData("2002:0808:0808::1", AddressReach.Public)]
    public void Every_special_range_is_known_whichever_way_it_is_written(string address, AddressReach reach) =>
        Assert.Equal(reach, AddressRules.ReachOf(IPAddress.Parse(address)));

    [Fact]
    public void The_kind_is_named_in_words()
    {
        Assert.Equal("loopback", AddressRules.WordFor(IPAddress.Parse("::ffff:127.0.0.1")));
        Assert.Equal("link-local", AddressRules.WordFor(IPAddress.Parse("169.254.169.254")));
        Assert.Equal("private", AddressRules.WordFor(IPAddress.Parse("2002:0a00:0001::1")));
    }
}
