namespace Portal.Features.Alerting;

/// <summary>The body of a request from outside, read whole up to a limit.</summary>
static class HookBody
{
    /// <exception cref="BadHttpRequestException">413: it is longer.</exception>
    public static async Task<byte[]> Read(HttpRequest request, int most, CancellationToken ct)
    {
        if (request.ContentLength > most) throw TooLarge();
        using var body = new MemoryStream((int)(request.ContentLength ?? 0));
        var buffer = new byte[16 * 1024];
        int read;
        while ((read = await request.Body.ReadAsync(buffer, ct)) > 0)
        {
            if (body.Length + read > most) throw TooLarge();
            body.Write(buffer, 0, read);
        }
        return body.ToArray();
    }

    static BadHttpRequestException TooLarge() => new("The body is too large.", StatusCodes.Status413PayloadTooLarge);
}
