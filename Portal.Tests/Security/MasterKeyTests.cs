using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portal.Infrastructure;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Postgres;
using Portal.Infrastructure.Security;
using Portal.Tests.Support;

namespace Portal.Tests.Security;

public sealed class MasterKeyTests : IAsyncLifetime, IDisposable
{
    readonly TestDatabase database = new();
    readonly ScratchFolder scratch = new();

    public Task InitializeAsync() => database.InitializeAsync();

    public Task DisposeAsync() => database.DisposeAsync();

    public void Dispose() => scratch.Dispose();

    MasterKey Key(string name = "master.key") => new(scratch["keys", name]);

    MasterKey Made(string name = "master.key")
    {
        var key = Key(name);
        key.Create();
        return key;
    }

    async Task Check(MasterKey key)
    {
        await using var connection = await database.Database.Source.OpenConnectionAsync();
        await new KeyCheck(key, new SecretBox(key)).Run(connection, default);
    }

    [Fact]
    public async Task The_first_start_makes_the_key_and_the_next_one_finds_it()
    {
        await Check(Key());
        Assert.Equal(MasterKey.Length, (await File.ReadAllBytesAsync(Key().File)).Length);
        Assert.Equal(PrivateFile.Mode, File.GetUnixFileMode(Key().File));
        await Check(Key());
    }

    [Fact]
    public async Task A_missing_a_wrong_and_a_damaged_key_each_stop_the_start_and_are_named()
    {
        await Check(Key());
        var wrong = await Assert.ThrowsAsync<CannotStartException>(() => Check(Made("other.key")));
        Assert.Contains("is not the one that wrapped", wrong.Message, StringComparison.Ordinal);
        var missing = await Assert.ThrowsAsync<CannotStartException>(() => Check(Key("lost.key")));
        Assert.Contains("is missing, but the database holds secrets", missing.Message, StringComparison.Ordinal);
        Assert.False(Key("lost.key").FileExists);
        await File.WriteAllBytesAsync(Key().File, new byte[31]);
        var damaged = await Assert.ThrowsAsync<CannotStartException>(() => Check(Key()));
        Assert.All(new[] { wrong, missing, damaged }, e => Assert.Contains("Security:MasterKeyFile", e.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void A_secret_opens_only_unchanged_in_its_own_row_and_with_its_own_key()
    {
        var box = new SecretBox(Made());
        var (row, other) = (new Guid("00000000-0000-7000-8000-000000000001"), new Guid("00000000-0000-7000-8000-000000000002"));
        var stored = box.Seal("pässword", row);
        Assert.Equal("pässword", box.Open(stored, row));
        Assert.NotEqual(stored, box.Seal("pässword", row));
        Assert.ThrowsAny<CryptographicException>(() => box.Open(stored, other));
        Assert.ThrowsAny<CryptographicException>(() => new SecretBox(Made("other.key")).Open(stored, row));
        for (var i = 0; i < stored.Length; i++)
        {
            var changed = (byte[])stored.Clone();
            changed[i] ^= 1;
            Assert.ThrowsAny<CryptographicException>(() => box.Open(changed, row));
        }
        Assert.ThrowsAny<CryptographicException>(() => box.Open(stored[..10], row));
    }

    [Fact]
    public async Task Protection_keys_lie_wrapped_in_the_database_and_serve_another_node()
    {
        Made();
        var sealedText = Protector(Key()).Protect("who I am");
        await using (var db = database.Open())
        {
            var stored = Assert.Single(await db.ProtectionKeys.ToListAsync());
            Assert.DoesNotContain("masterKey", System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(stored.WrappedXml)), StringComparison.Ordinal);
        }
        Assert.Equal("who I am", Protector(Key()).Unprotect(sealedText));
    }

    [Fact]
    public void Protection_can_be_set_up_while_the_database_is_away_and_works_once_it_is_there()
    {
        Made();
        var away = new Database();
        var protector = Protector(Key(), away);
        Assert.ThrowsAny<Exception>(() => protector.Protect("too early"));
        away.Open(Database.Connect(database.ConnectionString));
        Assert.Equal("now", protector.Unprotect(protector.Protect("now")));
    }

    IDataProtector Protector(MasterKey key, IDbContextFactory<PortalDbContext>? contexts = null)
    {
        key.Load();
        var services = new ServiceCollection();
        services.AddDataProtection().SetApplicationName("Portal");
        services.Configure<KeyManagementOptions>(o => (o.XmlRepository, o.XmlEncryptor) = (new StoredProtectionKeys(contexts ?? database.Contexts, new SecretBox(key), TimeProvider.System), new NullXmlEncryptor()));
        return services.BuildServiceProvider().GetDataProtector("test");
    }
}
