using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.FileProviders;

namespace Portal.Public;

/// <summary>The style, the script and the icons of the public page, each under a name that holds the hash of its content and so never changes.</summary>
public sealed class PublicAssets
{
    public const string CacheForever = "public, max-age=31536000, immutable";

    static readonly (string File, string ContentType)[] Files =
    [
        ("public.css", "text/css; charset=utf-8"), ("public.js", "text/javascript; charset=utf-8"),
        .. new[] { "operational", "maintenance", "degraded", "partial", "major", "unknown" }.Select(s => ($"favicon-{s}.svg", "image/svg+xml")),
    ];

    readonly Dictionary<string, PublishedDocument> documents = [];

    public PublicAssets(IFileProvider root, Brand? brand = null)
    {
        Brand = brand ?? Brand.None;
        foreach (var (name, type) in Files)
        {
            var file = root.GetFileInfo("assets/" + name);
            if (!file.Exists) continue;
            using var stream = file.CreateReadStream();
            var body = new byte[file.Length];
            stream.ReadExactly(body);
            Add(name, type, name == "public.css" ? [.. body, .. Encoding.UTF8.GetBytes(Brand.Style)] : body);
        }
        if (Brand.Picture is { } picture)
        {
            Add("picture." + picture.Extension, picture.ContentType, picture.Body);
            Picture = this["picture." + picture.Extension];
        }
    }

    public Brand Brand { get; }

    /// <summary>The address of what others show beside a link to the page; null without one.</summary>
    public string? Picture { get; }

    void Add(string name, string type, byte[] body)
    {
        var (stem, extension) = (System.IO.Path.GetFileNameWithoutExtension(name), System.IO.Path.GetExtension(name));
        var path = $"/assets/{stem}.{Convert.ToHexStringLower(SHA256.HashData(body))[..10]}{extension}";
        documents[name] = new PublishedDocument(path, type, body, new Dictionary<string, string> { ["Cache-Control"] = CacheForever });
    }

    public IEnumerable<PublishedDocument> Documents => documents.Values;

    /// <summary>Differs between programs and looks whose pages would differ: nodes with the same one make the same bytes of the same data.</summary>
    public string Stamp => field ??= Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Join('\n', documents.Values.Select(d => d.Path).Append(typeof(PublicAssets).Assembly.ManifestModule.ModuleVersionId.ToString())
            .Append(Brand.Logo is { } logo ? Convert.ToHexStringLower(SHA256.HashData(logo.Body)) : "").Concat(Brand.Links.Select(l => l.ToString()))))))[..16];

    /// <summary>Where the file is served for ever; its plain name if the front end was not built.</summary>
    public string this[string name] => documents.TryGetValue(name, out var document) ? document.Path : "/assets/" + name;
}
