using System.IO.Compression;
using System.Security.Cryptography;
using Microsoft.Extensions.Primitives;

namespace Portal.Public;

/// <summary>A document as it leaves: every header value made beforehand, the body plain, by gzip and by brotli, each with a strong ETag of its own.</summary>
public sealed class PublishedBytes
{
    /// <summary>Below this a compressed body saves less than its header costs.</summary>
    const int WorthCompressing = 256;

    readonly PublishedDocument document;

    public PublishedBytes(PublishedDocument document, string vary = "Accept-Encoding")
    {
        this.document = document;
        Vary = vary;
        ContentType = document.ContentType;
        var headers = document.Headers ?? new Dictionary<string, string>();
        CacheControl = headers.GetValueOrDefault("Cache-Control", PublicHeaders.CacheControl);
        CdnCacheControl = headers.ContainsKey("Cache-Control") ? StringValues.Empty : PublicHeaders.CdnCacheControl;
        Others = [.. headers.Where(h => h.Key != "Cache-Control").Append(PublicHeaders.NothingElse).DistinctBy(h => h.Key).Select(h => new KeyValuePair<string, StringValues>(h.Key, h.Value))];
        var hash = Convert.ToHexStringLower(SHA256.HashData(document.Body))[..20];
        Plain = new Variant(document.Body, $"\"{hash}\"", StringValues.Empty);
        Gzip = Compressed(Plain, "gzip", $"\"{hash}-g\"", Gzipped);
        Brotli = Compressed(Gzip, "br", $"\"{hash}-b\"", Brotlied);
    }

    PublishedBytes(PublishedBytes other, string vary) =>
        (document, Vary, ContentType, CacheControl, CdnCacheControl, Others, Plain, Gzip, Brotli) =
        (other.document, vary, other.ContentType, other.CacheControl, other.CdnCacheControl, other.Others, other.Plain, other.Gzip, other.Brotli);

    public int Status => document.Status;
    public PublishedDocument Document => document;
    public StringValues Vary { get; }
    public StringValues ContentType { get; }
    public StringValues CacheControl { get; }
    public StringValues CdnCacheControl { get; }
    public KeyValuePair<string, StringValues>[] Others { get; }
    public Variant Plain { get; }
    public Variant Gzip { get; }
    public Variant Brotli { get; }

    public PublishedBytes With(string vary) => new(this, vary);

    /// <summary>Whether a new rendering says the same, so that nothing has to be compressed again.</summary>
    public bool Says(PublishedDocument other) =>
        document.Status == other.Status && document.ContentType == other.ContentType && document.Body.AsSpan().SequenceEqual(other.Body)
        && (document.Headers ?? new Dictionary<string, string>()).SequenceEqual(other.Headers ?? new Dictionary<string, string>());

    public Variant For(StringValues acceptEncoding) => ContentCoding.Choose(acceptEncoding) switch
    {
        Coding.Brotli => Brotli,
        Coding.Gzip => Gzip,
        _ => Plain,
    };

    Variant Compressed(Variant otherwise, string coding, string tag, Func<byte[], byte[]> compress)
    {
        if (document.Body.Length < WorthCompressing) return Plain;
        var body = compress(document.Body);
        return body.Length < otherwise.Body.Length || (otherwise.ContentEncoding.Count > 0 && body.Length < Plain.Body.Length) ? new Variant(body, tag, coding) : Plain;
    }

    static byte[] Gzipped(byte[] body)
    {
        using var target = new MemoryStream(body.Length / 3);
        using (var gzip = new GZipStream(target, CompressionLevel.Optimal, leaveOpen: true)) gzip.Write(body);
        return target.ToArray();
    }

    static byte[] Brotlied(byte[] body)
    {
        var buffer = new byte[BrotliEncoder.GetMaxCompressedLength(body.Length)];
        return BrotliEncoder.TryCompress(body, buffer, out var length, quality: 6, window: 20) ? buffer[..length] : body;
    }

    /// <param name="ContentEncoding">Empty for the plain body.</param>
    public sealed record Variant(byte[] Body, string ETag, StringValues ContentEncoding)
    {
        public StringValues ETagHeader { get; } = ETag;
        public long? Length { get; } = Body.Length;

        /// <summary>Whether one of the tags in <c>If-None-Match</c> is this one; a proxy may have weakened it.</summary>
        public bool IsNamedBy(StringValues ifNoneMatch)
        {
            foreach (var value in ifNoneMatch)
                if (value is not null && (value.AsSpan().Trim().SequenceEqual("*") || value.Contains(ETag, StringComparison.Ordinal))) return true;
            return false;
        }
    }
}

public enum Coding { Identity, Gzip, Brotli }

public static class ContentCoding
{
    /// <summary>The smallest of ours that the client takes: RFC 9110, 12.5.3; a weight of 0 refuses.</summary>
    public static Coding Choose(StringValues acceptEncoding)
    {
        if (acceptEncoding.Count == 0) return Coding.Identity;
        var header = acceptEncoding.Count == 1 ? acceptEncoding[0] : string.Join(',', acceptEncoding.ToArray());
        return Allows(header, "br") ? Coding.Brotli : Allows(header, "gzip") ? Coding.Gzip : Coding.Identity;
    }

    static bool Allows(ReadOnlySpan<char> header, ReadOnlySpan<char> coding)
    {
        foreach (var range in header.Split(','))
        {
            var part = header[range].Trim();
            var semicolon = part.IndexOf(';');
            var name = semicolon < 0 ? part : part[..semicolon].TrimEnd();
            if (!name.Equals(coding, StringComparison.OrdinalIgnoreCase)) continue;
            return semicolon < 0 || !IsZero(part[(semicolon + 1)..].Trim());
        }
        return false;
    }

    static bool IsZero(ReadOnlySpan<char> weight) =>
        weight.StartsWith("q=", StringComparison.OrdinalIgnoreCase) && weight[2..].Trim().TrimEnd('0').TrimEnd('.').Trim('0').IsEmpty;
}
