namespace Portal.Infrastructure.Monitoring;

/// <summary>Reads a small document from an https address that came from outside, through the guard.</summary>
/// <param name="most">Bytes; a longer one is refused.</param>
/// <exception cref="HttpRequestException">It could not be had, in words.</exception>
public delegate Task<byte[]> GuardedFetch(Uri address, int most, CancellationToken ct);

/// <summary>The one for use; tests put their own in its place.</summary>
public static class GuardedFetches
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static GuardedFetch By(GuardedConnector connector, TimeProvider clock) => (address, most, ct) => Fetch(connector, clock, address, most, ct);

    static async Task<byte[]> Fetch(GuardedConnector connector, TimeProvider clock, Uri address, int most, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, limit.Token);
        string? refused = null;
        using var handler = GuardedHandler.For(connector, Passage.PublicOnly, clock, () => { }, address.Host, why => refused = why, either.Token);
        using var client = new HttpClient(handler) { MaxResponseContentBufferSize = most, Timeout = Timeout.InfiniteTimeSpan };
        try
        {
            using var response = await client.GetAsync(address, either.Token);
            if (!response.IsSuccessStatusCode) throw new HttpRequestException($"{address.Host} answered {(int)response.StatusCode}.");
            return await response.Content.ReadAsByteArrayAsync(either.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new HttpRequestException($"{address.Host} did not answer in {Patience.TotalSeconds:0} seconds.");
        }
        catch (Exception e) when (e is PassageRefusedException or NameUnknownException || e.InnerException is PassageRefusedException or NameUnknownException || refused is not null)
        {
            throw new HttpRequestException(refused ?? (e.InnerException ?? e).Message, e);
        }
    }
}
