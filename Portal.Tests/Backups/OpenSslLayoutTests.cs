using System.Security.Cryptography;
using Portal.Domain.Backups;
using Portal.Domain.Shared;
using Portal.Infrastructure.Backups;
using Portal.Tests.Support;

namespace Portal.Tests.Backups;

/// <summary>Against the real openssl, in both directions.</summary>
public sealed class OpenSslLayoutTests : IDisposable
{
    const string Enc = "openssl enc -aes-256-cbc -pbkdf2 -md sha256 -salt";
    const string Passphrase = "correct horse battery staple";
    static readonly BackupKeyId KeyId = new(new Guid("01900000-0000-7000-8000-000000000001"));
    readonly ScratchFolder scratch = new();

    public OpenSslLayoutTests() => Directory.CreateDirectory(scratch.Path);

    public void Dispose() => scratch.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(3_000_001)]
    public async Task What_we_encrypt_openssl_decrypts_and_what_openssl_encrypts_we_decrypt(int length)
    {
        var content = RandomNumberGenerator.GetBytes(length);
        var key = DataKey.Make(KeyId);
        await File.WriteAllTextAsync(scratch["data.key"], key.Hex);
        await File.WriteAllBytesAsync(scratch["ours"], await Encrypted(content, key.Hex));
        await Shell.Works($"{Enc} -d -iter 10000 -pass file:data.key -in ours -out plain", scratch.Path);
        Assert.Equal(content, await File.ReadAllBytesAsync(scratch["plain"]));
        await Shell.Works($"{Enc} -iter 10000 -pass file:data.key -in plain -out theirs", scratch.Path);
        Assert.Equal(content, await Decrypted(await File.ReadAllBytesAsync(scratch["theirs"]), key.Hex));
    }

    [Fact]
    public async Task A_wrapped_key_is_opened_by_openssl_and_one_that_openssl_wrapped_is_opened_by_us()
    {
        var key = DataKey.Make(KeyId);
        await File.WriteAllTextAsync(scratch["ours.key"], await key.Wrap(Passphrase, default));
        Assert.Equal(key.Hex, await Shell.Works($"{Enc} -d -a -iter 600000 -pass stdin -in ours.key", scratch.Path, Passphrase + "\n"));
        await File.WriteAllTextAsync(scratch["hex"], key.Hex + "\n");
        await Shell.Works($"{Enc} -a -iter 600000 -pass stdin -in hex -out theirs.key", scratch.Path, Passphrase + "\n");
        var opened = await DataKey.Unwrap(KeyId, await File.ReadAllTextAsync(scratch["theirs.key"]), Passphrase, default);
        Assert.Equal(key.Hex, opened.Hex);
        Assert.All((await File.ReadAllLinesAsync(scratch["ours.key"])), line => Assert.InRange(line.Length, 1, 64));
    }

    [Fact]
    public async Task The_HMAC_key_is_what_openssl_computes_from_the_data_key()
    {
        var key = DataKey.Make(KeyId);
        var printed = await Shell.Works($"K=$(printf portal-mac | openssl dgst -sha256 -mac HMAC -macopt hexkey:{key.Hex} -r | cut -c 1-64); printf 'some words' | openssl dgst -sha256 -mac HMAC -macopt hexkey:$K -r | cut -c 1-64", scratch.Path);
        Assert.Equal(key.Mac("some words"u8), printed.Trim());
        Assert.NotEqual(DataKey.Make(KeyId).Mac("some words"u8), printed.Trim());
    }

    [Fact]
    public async Task A_wrong_passphrase_and_a_changed_key_file_are_refused_in_words()
    {
        var wrapped = await DataKey.Make(KeyId).Wrap(Passphrase, default);
        Assert.NotNull(await DataKey.Unwrap(KeyId, wrapped, Passphrase, default));
        var flipped = wrapped.ToCharArray();
        flipped[40] = flipped[40] == 'A' ? 'B' : 'A';
        foreach (var (text, passphrase) in new[] { (wrapped, Passphrase + "!"), (wrapped[..64], Passphrase), (new string(flipped), Passphrase), ("not base64 at all!", Passphrase), ("", Passphrase) })
        {
            var refused = await Assert.ThrowsAsync<BackupFailedException>(() => DataKey.Unwrap(KeyId, text, passphrase, default));
            Assert.Equal(BackupFailure.Refused, refused.Kind);
            Assert.StartsWith("The passphrase does not open this key", refused.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("fifteen letters", "at least 16")]
    [InlineData("two lines are not\none passphrase", "one line")]
    public async Task A_passphrase_that_is_short_or_has_lines_is_not_taken(string passphrase, string words)
    {
        var refused = await Assert.ThrowsAsync<DomainException>(() => DataKey.Make(KeyId).Wrap(passphrase, default));
        Assert.Contains(words, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_was_cut_or_that_begins_otherwise_is_refused_in_words()
    {
        var whole = await Encrypted(RandomNumberGenerator.GetBytes(100_000), "key");
        Assert.Equal(100_000, (await Decrypted(whole, "key")).Length);
        var cut = await Assert.ThrowsAsync<BackupFailedException>(() => Decrypted(whole[..50_001], "key"));
        Assert.Contains("bytes are missing or changed", cut.Message, StringComparison.Ordinal);
        foreach (var other in new[] { whole[..12], whole[1..], [] })
            Assert.Contains("does not begin with", (await Assert.ThrowsAsync<BackupFailedException>(() => Decrypted(other, "key"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stored_key_that_is_no_key_is_refused()
    {
        var key = DataKey.Make(KeyId);
        Assert.Equal(key.Hex, DataKey.From(KeyId, key.Hex).Hex);
        Assert.Throws<BackupFailedException>(() => DataKey.From(KeyId, key.Hex[1..]));
        Assert.Throws<BackupFailedException>(() => DataKey.From(KeyId, 'g' + key.Hex[1..]));
    }

    static async Task<byte[]> Encrypted(byte[] content, string passphrase)
    {
        using var to = new MemoryStream();
        await using var writing = await OpenSslLayout.Write(to, passphrase, OpenSslLayout.ForKeys, default);
        foreach (var piece in content.Chunk(70_001)) await writing.WriteAsync(piece);
        await writing.FlushFinalBlockAsync();
        return to.ToArray();
    }

    static async Task<byte[]> Decrypted(byte[] file, string passphrase)
    {
        using var from = new MemoryStream(file);
        await using var reading = await OpenSslLayout.Read(from, passphrase, OpenSslLayout.ForKeys, default);
        using var content = new MemoryStream();
        await reading.CopyToAsync(content);
        return content.ToArray();
    }
}
