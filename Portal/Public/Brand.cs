using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using Portal.Hosting;

namespace Portal.Public;

/// <summary>How a company makes the page its own: logo, accent colour, links, and the picture that others show beside a link to it.</summary>
/// <param name="Accent">For light and for dark; null for the page's own.</param>
public sealed record Brand(string? Accent, string? AccentDark, BrandFile? Logo, BrandFile? Picture, IReadOnlyList<BrandLink> Links)
{
    const int LargestLogo = 12 * 1024, LargestPicture = 1024 * 1024, MostLinks = 8;
    const double Readable = 4.5;
    static readonly string[] Light = ["#ffffff", "#f5f6f8"], Dark = ["#0f1318", "#181d24"];

    public static Brand None { get; } = new(null, null, null, null, []);

    /// <summary>Each problem with the key that it belongs to.</summary>
    /// <param name="settings">The value of each key; null where none is set.</param>
    /// <param name="folder">Where a path that is not absolute begins: the data folder.</param>
    public static (Brand Brand, IReadOnlyList<(string Key, string Why)> Problems) Read(IReadOnlyDictionary<string, string?> settings, string folder)
    {
        var problems = new List<(string, string)>();
        var brand = new Brand(Colour("Public:AccentColour", Light, "darker"), Colour("Public:AccentColourDark", Dark, "lighter"),
            Read("Public:Logo", LargestLogo, BrandFile.Svg, BrandFile.Png), Read("Public:Picture", LargestPicture, BrandFile.Png, BrandFile.Jpeg), Links());
        return (brand, problems);

        string? Colour(string key, string[] grounds, string advice)
        {
            if (settings.GetValueOrDefault(key) is not { } colour) return null;
            if (colour.Length != 7 || colour[0] != '#' || !colour[1..].All(char.IsAsciiHexDigit))
            {
                problems.Add((key, $"{OptionsReader.Said(colour)} is not a colour like #2b55c9."));
                return null;
            }
            foreach (var ground in grounds)
                if (Contrast(colour, ground) is var contrast and < Readable)
                {
                    problems.Add((key, string.Create(CultureInfo.InvariantCulture, $"{colour} has a contrast of {Math.Floor(contrast * 10) / 10:0.0}:1 on {ground}, and links need 4.5:1 to be read. Choose a {advice} one.")));
                    return null;
                }
            return colour;
        }

        BrandFile? Read(string key, int largest, params Func<byte[], BrandFile?>[] kinds)
        {
            if (settings.GetValueOrDefault(key) is not { } set) return null;
            var path = Path.GetFullPath(Path.Combine(folder, set));
            try
            {
                if (set.Contains("://", StringComparison.Ordinal)) problems.Add((key, "a path in this machine's files is required, not an address."));
                else if (!File.Exists(path)) problems.Add((key, $"{OptionsReader.Said(path, set)} is no file."));
                else if (new FileInfo(path).Length > largest) problems.Add((key, $"{path} is larger than {largest / 1024} KB."));
                else if (File.ReadAllBytes(path) is var bytes && kinds.Select(kind => kind(bytes)).FirstOrDefault(file => file is not null) is { } file) return file;
                else problems.Add((key, key.EndsWith("Logo", StringComparison.Ordinal) ? $"{path} is neither an SVG with a viewBox nor a PNG." : $"{path} is neither a PNG nor a JPEG."));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                problems.Add((key, $"{path} cannot be read by this user."));
            }
            return null;
        }

        List<BrandLink> Links()
        {
            var links = new List<BrandLink>();
            // An address may hold a password: the place says enough.
            foreach (var (at, entry) in (settings.GetValueOrDefault("Public:Links") ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Index())
            {
                var (name, address) = entry.Split('=', 2, StringSplitOptions.TrimEntries) is [{ Length: > 0 and <= 40 } first, var second] ? (first, second) : ("", "");
                if (name.Length > 0 && Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme is "https" or "http" or "mailto") links.Add(new(name, uri!.AbsoluteUri));
                else problems.Add(("Public:Links", $"entry {at + 1} is not like Help=https://help.example.com (several are separated by semicolons)."));
            }
            if (links.Count > MostLinks) problems.Add(("Public:Links", $"at most {MostLinks} links are shown."));
            return links;
        }
    }

    /// <summary>What is added to the page's stylesheet: inline it would break the policy, and a file of its own would be one more request.</summary>
    public string Style
    {
        get
        {
            var style = new StringBuilder();
            if (Accent is { } light) style.Append(CultureInfo.InvariantCulture, $":root{{--accent:{light}}}");
            if (AccentDark is { } dark) style.Append(CultureInfo.InvariantCulture, $"@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{--accent:{dark}}}}}:root[data-theme=dark]{{--accent:{dark}}}");
            if (Logo is { } logo)
                style.Append(CultureInfo.InvariantCulture, $".name.logo::before{{content:\"\";flex:none;width:{Math.Clamp(32 * logo.Width / logo.Height, 16, 160):0}px;height:32px;background:url(data:{logo.ContentType};base64,{Convert.ToBase64String(logo.Body)}) center/contain no-repeat}}");
            return style.ToString();
        }
    }

    /// <summary>By WCAG 2.2, from 1 to 21.</summary>
    public static double Contrast(string one, string other)
    {
        var (a, b) = (Luminance(one), Luminance(other));
        return (Math.Max(a, b) + 0.05) / (Math.Min(a, b) + 0.05);
    }

    static double Luminance(string colour)
    {
        double Part(int at) => int.Parse(colour.AsSpan(at, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture) / 255.0 is var c && c <= 0.04045 ? c / 12.92 : Math.Pow((c + 0.055) / 1.055, 2.4);
        return 0.2126 * Part(1) + 0.7152 * Part(3) + 0.0722 * Part(5);
    }
}

/// <summary>A link in the foot of every public page.</summary>
public sealed record BrandLink(string Text, string Address);

/// <summary>A picture from the configuration, recognised by its content.</summary>
public sealed record BrandFile(string Extension, string ContentType, byte[] Body, double Width, double Height)
{
    public static BrandFile? Png(byte[] bytes) =>
        bytes.Length > 32 && bytes[0] == 0x89 && bytes.AsSpan(1, 7).SequenceEqual("PNG\r\n\u001a\n"u8) && Big(bytes, 16) > 0 && Big(bytes, 20) > 0
            ? new BrandFile("png", "image/png", bytes, Big(bytes, 16), Big(bytes, 20)) : null;

    public static BrandFile? Jpeg(byte[] bytes) => bytes is [0xff, 0xd8, 0xff, ..] ? new BrandFile("jpg", "image/jpeg", bytes, 1, 1) : null;

    public static BrandFile? Svg(byte[] bytes)
    {
        try
        {
            using var reader = XmlReader.Create(new MemoryStream(bytes), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
            var root = XDocument.Load(reader).Root!;
            var box = ((string?)root.Attribute("viewBox") ?? "").Split([' ', ','], StringSplitOptions.RemoveEmptyEntries);
            return root.Name.LocalName == "svg" && box.Length == 4
                && double.TryParse(box[2], NumberStyles.Float, CultureInfo.InvariantCulture, out var width) && width > 0
                && double.TryParse(box[3], NumberStyles.Float, CultureInfo.InvariantCulture, out var height) && height > 0
                ? new BrandFile("svg", "image/svg+xml", bytes, width, height) : null;
        }
        catch (XmlException)
        {
            return null;
        }
    }

    static int Big(byte[] bytes, int at) => System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(at, 4));
}
