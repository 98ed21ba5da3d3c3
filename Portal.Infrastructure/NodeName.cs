using System.Security.Cryptography;

namespace Portal.Infrastructure;

/// <summary>Who this process is among its peers: the machine's name and a short random part, stable while the process lives.</summary>
public sealed record NodeName(string Value)
{
    public static NodeName OfThisProcess() =>
        new($"{Environment.MachineName.ToLowerInvariant()}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(3))}");

    public override string ToString() => Value;
}
