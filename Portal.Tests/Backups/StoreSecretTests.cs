using System.Text;
using Bunit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Features.Backups;
using Portal.Tests.Support;

namespace Portal.Tests.Backups;

/// <summary>A bucket that left the configuration, whose secret key left with it.</summary>
public sealed class StoreSecretTests(TestDatabase database, S3Server server) : IClassFixture<TestDatabase>, IClassFixture<S3Server>, IAsyncLifetime
{
    const string Secret = "a-new-secret-key";
    readonly BackupNode node = new(database, configuration: new Dictionary<string, string>
    {
        ["Storage:Backups:S3:Endpoint"] = server.Endpoint.AbsoluteUri,
        ["Storage:Backups:S3:Bucket"] = S3Server.Bucket,
        ["Storage:Backups:S3:Region"] = "eu-central-1",
        ["Storage:Backups:S3:AccessKey"] = "access",
        ["Storage:Backups:S3:SecretKey"] = "secret",
        ["Storage:Backups:S3:ForcePathStyle"] = "true",
    });
    Backup backup = null!;
    BackupStoreId bucket;

    public async Task InitializeAsync()
    {
        await node.Clear();
        await node.Start();
        var run = await node.Back("portal");
        Assert.Equal((RunState.Succeeded, null), (run.State, run.Error));
        backup = Assert.Single(await node.All());
        bucket = (await node.ConfiguredStore()).Id;
        await new FirstBackups(database.Database, Configured.With(("Data:Path", node["data"]), ("Storage:Backups:Path", node["elsewhere"])), node.Opening, TimeProvider.System).Run(default);
        Assert.NotEqual(bucket, (await node.ConfiguredStore()).Id);
    }

    public async Task DisposeAsync() => await node.DisposeAsync();

    EnterSecretKey Enter => new(database.Database, node.Opening, TimeProvider.System);

    async Task<BackupStore> Stands(BackupStoreId id)
    {
        await using var db = database.Open();
        return await db.BackupStores.AsNoTracking().SingleAsync(s => s.Id == id);
    }

    async Task<JobRun> Verified() => await node.Done(await new VerifyBackup(database.Database, new VerifyBackups(node.Work), TimeProvider.System).Execute(backup.Id, Cast.Alice, default));

    [Fact]
    public async Task Its_secret_key_is_entered_again_and_what_lies_in_it_can_be_read_again()
    {
        Assert.Contains("Enter it again", (await Verified()).Error, StringComparison.Ordinal);
        Assert.False((await new ProbeStore(database.Database, node.Opening, TimeProvider.System).Execute(bucket, Cast.Alice, default)).IsGood);
        Assert.NotNull((await Stands(bucket)).Problem);

        await Enter.Execute(new(bucket, $" {Secret} ", "another-access"), Cast.Alice, default);
        var store = await Stands(bucket);
        Assert.Equal((Secret, "another-access", null), (node.Box.Open(store.SecretKey!, bucket.Value), store.Place.Bucket!.AccessKey, store.Problem));
        Assert.DoesNotContain(Secret, Encoding.Latin1.GetString(store.SecretKey!), StringComparison.Ordinal);
        var run = await Verified();
        Assert.Equal((RunState.Succeeded, null), (run.State, run.Error));
        await using var db = database.Open();
        var entry = await db.Audit.AsNoTracking().OrderByDescending(a => a.Sequence).FirstAsync(a => a.Action == "backup_store.secret_entered");
        Assert.Equal(($"{store.Name}: {store.Place.Words}", "Alice"), (entry.Summary, entry.ActorName));
    }

    [Fact]
    public async Task It_is_tried_before_it_is_kept_and_asked_for_only_where_it_is_needed()
    {
        BackupStoreId none;
        await using (var db = database.Open())
        {
            var key = Id.New<BackupKeyId>(TimeProvider.System.GetUtcNow());
            var store = new BackupStore($"Gone {key}", new(null, new BucketPlace(server.Endpoint.AbsoluteUri, "no-such-bucket", "eu-central-1", "access")), key, TimeProvider.System.GetUtcNow());
            store.Keep(node.Opening.NewKey(key));
            db.BackupStores.Add(store);
            await db.SaveChangesAsync();
            none = store.Id;
        }
        async Task<DomainException> Refusal(BackupStoreId store, string? secret) => await Assert.ThrowsAsync<DomainException>(() => Enter.Execute(new(store, secret), Cast.Alice, default));
        var refused = await Refusal(none, Secret);
        Assert.Equal("secretKey", refused.Field);
        Assert.Contains("no such bucket", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, refused.Message, StringComparison.Ordinal);
        Assert.Null((await Stands(none)).SecretKey);
        Assert.Equal("secretKey", (await Refusal(bucket, " ")).Field);
        Assert.Contains("folder", (await Refusal((await node.ConfiguredStore()).Id, Secret)).Message, StringComparison.Ordinal);
        await using (var db = database.Open())
        {
            await db.BackupStores.ExecuteUpdateAsync(s => s.SetProperty(x => x.IsConfigured, false));
            await db.BackupStores.Where(s => s.Id == bucket).ExecuteUpdateAsync(s => s.SetProperty(x => x.IsConfigured, true));
        }
        Assert.Contains("in the configuration", (await Refusal(bucket, Secret)).Message, StringComparison.Ordinal);
        Assert.Null((await Stands(bucket)).SecretKey);
        await Assert.ThrowsAsync<NotFoundException>(() => Enter.Execute(new(new(Guid.NewGuid()), Secret), Cast.Alice, default));
        await Assert.ThrowsAsync<ForbiddenException>(() => Enter.Execute(new(bucket, Secret), Cast.Bob, default));
    }

    [Fact]
    public async Task The_form_takes_it_says_that_it_works_and_shows_it_never_again()
    {
        await using var screen = new StaffScreen(database, TimeProvider.System, Cast.Alice);
        screen.Services.AddSingleton(Enter);
        string? words = null;
        var store = await Stands(bucket);
        var form = screen.Render<StoreSecretForm>(p => p.Add(f => f.Store, store).Add(f => f.OnEntered, (string w) => words = w));
        Assert.Contains("Enter its secret key again", form.Find("summary").TextContent, StringComparison.Ordinal);
        Assert.True(form.Find("details").HasAttribute("open"));
        await form.InvokeAsync(() => form.Find("form").Submit());
        form.WaitForAssertion(() => Assert.Equal("true", form.Find($"#secret-{bucket}").GetAttribute("aria-invalid")));
        form.Find($"#secret-{bucket}").Change(Secret);
        await form.InvokeAsync(() => form.Find("form").Submit());
        form.WaitForAssertion(() => Assert.Contains("works with this secret key", words, StringComparison.Ordinal), TimeSpan.FromSeconds(20));
        Assert.DoesNotContain(Secret, form.Markup, StringComparison.Ordinal);
        Assert.Equal(Secret, node.Box.Open((await Stands(bucket)).SecretKey!, bucket.Value));
    }
}
