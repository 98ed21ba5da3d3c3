using System.Net;
using Portal.Tests.Support;

namespace Portal.Tests.Api;

public class FrameTests(PortalHost host) : IClassFixture<PortalHost>
{
    [Fact]
    public async Task An_unknown_address_under_the_api_is_a_problem_with_the_request_id()
    {
        using var client = host.Client();
        using var answer = await client.GetAsync("/api/v1/nothing");
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Contains(answer.Headers.GetValues("X-Request-Id").Single(), await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }
}
