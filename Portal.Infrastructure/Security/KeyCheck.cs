using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace Portal.Infrastructure.Security;

/// <summary>Proves at each start that the master key is the one which wrapped what the database holds; makes it on the very first start.</summary>
public sealed class KeyCheck(MasterKey key, SecretBox box)
{
    public const string Setting = "master-key-check";
    static readonly byte[] Words = Encoding.ASCII.GetBytes("portal master key");

    /// <param name="connection">With the lock of migrations held, so that two first starts do not each make a key.</param>
    /// <exception cref="CannotStartException">The key is missing or another one.</exception>
    public async Task Run(NpgsqlConnection connection, CancellationToken ct)
    {
        var stored = await Stored(connection, ct);
        if (key.FileExists) key.Load();
        else if (stored is null) key.Create();
        else throw new CannotStartException($"The master key file {key.File} is missing, but the database holds secrets that it wrapped: put it back, the same one on every node (Security:MasterKeyFile).");
        if (stored is null) await Store(connection, ct);
        else if (!Opens(stored))
            throw new CannotStartException($"The master key in {key.File} is not the one that wrapped the secrets in this database: put the right one back, the same one on every node (Security:MasterKeyFile).");
    }

    bool Opens(byte[] stored)
    {
        try
        {
            return box.Open(stored, Setting).AsSpan().SequenceEqual(Words);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    static async Task<byte[]?> Stored(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select value from settings where key = $1", connection) { Parameters = { new() { Value = Setting } } };
        return await command.ExecuteScalarAsync(ct) is string text ? Convert.FromBase64String(text) : null;
    }

    async Task Store(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("insert into settings (key, value) values ($1, $2)", connection)
        {
            Parameters = { new() { Value = Setting }, new() { Value = Convert.ToBase64String(box.Seal(Words, Setting)) } },
        };
        await command.ExecuteNonQueryAsync(ct);
    }
}
