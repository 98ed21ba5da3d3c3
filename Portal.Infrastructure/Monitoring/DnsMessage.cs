using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;

namespace Portal.Infrastructure.Monitoring;

/// <summary>A question to a name server and the part of its answer that is asked for. Source: RFC 1035, 3596.</summary>
/// <remarks>Written by hand: no client library can be had that asks a given address (ADR 0010).</remarks>
sealed record DnsMessage(int Code, bool IsCut, IReadOnlyList<string> Records)
{
    const int Head = 12, MostJumps = 20, MostRecords = 200;

    static readonly Dictionary<string, ushort> Types = new() { ["A"] = 1, ["NS"] = 2, ["CNAME"] = 5, ["MX"] = 15, ["TXT"] = 16, ["AAAA"] = 28 };

    public static byte[] Question(ushort id, string name, string type)
    {
        var message = new List<byte> { (byte)(id >> 8), (byte)id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
        foreach (var label in name.Split('.'))
        {
            message.Add((byte)label.Length);
            message.AddRange(Encoding.ASCII.GetBytes(label));
        }
        message.AddRange([0, 0, (byte)Types[type], 0, 1]);
        return [.. message];
    }

    /// <summary>Whether this is the answer to exactly that question: anything else on the wire is somebody else's.</summary>
    public static bool Answers(ReadOnlySpan<byte> message, ReadOnlySpan<byte> question) =>
        message.Length >= question.Length && (message[2] & 0x80) != 0 && message[..2].SequenceEqual(question[..2])
        && message[4..6].SequenceEqual(question[4..6]) && Same(message[Head..question.Length], question[Head..]);

    /// <summary>Names may come back in other letters.</summary>
    static bool Same(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b) => Ascii.EqualsIgnoreCase(a, b);

    /// <exception cref="InvalidDataException">It cannot be read.</exception>
    public static DnsMessage Read(ReadOnlySpan<byte> message, ReadOnlySpan<byte> question, string type)
    {
        var (at, count, found) = (question.Length, BinaryPrimitives.ReadUInt16BigEndian(message[6..]), new List<string>());
        var isCut = (message[2] & 2) != 0;
        for (var i = 0; i < Math.Min((int)count, MostRecords) && !isCut; i++)
        {
            _ = Name(message, ref at);
            Need(message, at + 10);
            var (recordType, length) = (BinaryPrimitives.ReadUInt16BigEndian(message[at..]), BinaryPrimitives.ReadUInt16BigEndian(message[(at + 8)..]));
            at += 10;
            Need(message, at + length);
            if (recordType == Types[type]) found.Add(Data(message, at, length, type));
            at += length;
        }
        return new(message[3] & 0x0f, isCut, found);
    }

    static string Data(ReadOnlySpan<byte> message, int at, int length, string type)
    {
        switch (type)
        {
            case "A" or "AAAA":
                return length == (type == "A" ? 4 : 16) ? new IPAddress(message.Slice(at, length)).ToString() : throw Unreadable();
            case "MX":
                if (length < 3) throw Unreadable();
                var exchange = at + 2;
                return string.Create(CultureInfo.InvariantCulture, $"{BinaryPrimitives.ReadUInt16BigEndian(message[at..])} {Name(message, ref exchange)}");
            case "TXT":
                return Text(message.Slice(at, length));
            default:
                return Name(message, ref at);
        }
    }

    /// <summary>Pieces of up to 255 bytes that belong together.</summary>
    static string Text(ReadOnlySpan<byte> data)
    {
        var text = new List<byte>();
        for (var i = 0; i < data.Length; i += data[i] + 1)
        {
            Need(data, i + 1 + data[i]);
            text.AddRange(data.Slice(i + 1, data[i]));
        }
        return Encoding.UTF8.GetString([.. text]);
    }

    /// <summary>A name may point back to one that was written before; a loop of such pointers is no name.</summary>
    static string Name(ReadOnlySpan<byte> message, ref int at)
    {
        var (name, i, jumps) = (new StringBuilder(), at, 0);
        while (true)
        {
            Need(message, i + 1);
            int length = message[i];
            if (length >= 0xc0)
            {
                Need(message, i + 2);
                if (jumps == 0) at = i + 2;
                if (++jumps > MostJumps) throw Unreadable();
                i = (length & 0x3f) << 8 | message[i + 1];
                continue;
            }
            if (length > 63) throw Unreadable();
            i++;
            if (length == 0) break;
            Need(message, i + length);
            if (name.Length > 0) name.Append('.');
            name.Append(Encoding.ASCII.GetString(message.Slice(i, length)));
            if (name.Length > 255) throw Unreadable();
            i += length;
        }
        if (jumps == 0) at = i;
        return name.ToString();
    }

    static void Need(ReadOnlySpan<byte> message, int end)
    {
        if (end > message.Length) throw Unreadable();
    }

    static InvalidDataException Unreadable() => new("The answer of the name server cannot be read.");
}
