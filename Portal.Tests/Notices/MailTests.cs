using System.Net.Sockets;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Portal.Domain.Audit;
using Portal.Domain.Notifications;
using Portal.Infrastructure;
using Portal.Infrastructure.Notifications.Email;
using Portal.Tests.Support;

namespace Portal.Tests.Notices;

public sealed class MailTests : IAsyncLifetime
{
    readonly TestDatabase database = new();
    readonly ScratchFolder scratch = new();
    readonly LogLines log = new();
    int queued;

    public Task InitializeAsync() => database.InitializeAsync();

    public async Task DisposeAsync()
    {
        await database.DisposeAsync();
        scratch.Dispose();
    }

    string Outbox => scratch["outbox"];

    MailDelivery Delivery(MailServer? server, TimeProvider? clock = null) =>
        new(server, new MailOutbox(Outbox, clock ?? TimeProvider.System, new Logger<MailOutbox>(log)), clock ?? TimeProvider.System, new Logger<MailDelivery>(log));

    MailDispatcher Node(string name, MailServer? server) =>
        new(database.Database, Delivery(server), new NodeName(name), () => "https://status.example.com", TimeProvider.System, new Logger<MailDispatcher>(log));

    static MailServer At(int port, bool tls = false, string? user = null, string? password = null) => new("127.0.0.1", port, user, password, tls, "portal@example.com");

    async Task<Guid> Queue(string to, string subject = "Backup failed", string body = "It failed.\n\nLook at it.", string? link = "/admin/backups")
    {
        await using var db = database.Open();
        var mail = new QueuedMail(to, subject, body, link, $"key-{++queued}", TimeProvider.System.GetUtcNow().AddSeconds(-1));
        db.Mails.Add(mail);
        await db.Commit(new AuditEntry(Cast.Alice, "thing.done", "x", "x", TimeProvider.System.GetUtcNow()), default);
        return mail.Id;
    }

    async Task<QueuedMail> Find(Guid id)
    {
        await using var db = database.Open();
        return await db.Mails.AsNoTracking().SingleAsync(m => m.Id == id);
    }

    async Task Run(string sql)
    {
        await using var command = database.Database.Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    Task MakeDue() => Run("update mails set due_at = clock_timestamp() where state = 'Waiting'");

    [Fact]
    public async Task A_mail_comes_with_its_words_in_every_language_its_link_and_an_id_of_its_own()
    {
        await using var server = await MailServerProcess.Start();
        var id = await Queue("Bob <bob@example.com>", "Wiederherstellung geprüft: 10 € gespart\r\nBcc: everybody@example.com", "Grüße & <b>Küsse</b>.\n.\nEnde");
        Assert.Equal(1, await Node("a", At(server.Port)).Drain(default));
        var letter = await Soon.Reads(() => Task.FromResult(server.Letters), l => l.Count == 1, "the mail");
        var (from, to, raw) = (letter[0].From, letter[0].To, letter[0].Raw);
        Assert.Equal(("portal@example.com", "bob@example.com"), (from, Assert.Single(to)));
        Assert.Contains($"<{id:N}@example.com>", raw, StringComparison.Ordinal);
        Assert.Contains("Auto-Submitted: auto-generated", raw, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("\nBcc:", raw, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("multipart/alternative", raw, StringComparison.Ordinal);
        var plain = raw.Replace("=\r\n", "", StringComparison.Ordinal).Replace("=0D=0A", "\r\n", StringComparison.Ordinal);
        Assert.Contains("\r\nGr=C3=BC=C3=9Fe & <b>K=C3=BCsse</b>.\r\n.\r\nEnde\r\n\r\nhttps://status.example.com/admin/backups\r\n", plain, StringComparison.Ordinal);
        Assert.Contains("Gr&#252;&#223;e &amp; &lt;b&gt;K&#252;sse&lt;/b&gt;", plain, StringComparison.Ordinal);
        Assert.Contains("https://status.example.com/admin/backups", plain, StringComparison.Ordinal);
        var mail = await Find(id);
        Assert.Equal((MailState.Sent, 1, null), (mail.State, mail.Attempts, mail.LastError));
        Assert.Equal(0, await Node("a", At(server.Port)).Drain(default));
    }

    [Fact]
    public async Task Signed_in_and_encrypted_where_it_is_asked_for_and_a_certificate_that_is_not_trusted_gets_nothing()
    {
        await using var server = await MailServerProcess.Start(mustSignIn: true);
        var id = await Queue("bob@example.com");
        await Node("a", At(server.Port, tls: true, "portal", "s3cret word")).Drain(default);
        Assert.Contains("certificate", (await Find(id)).LastError, StringComparison.OrdinalIgnoreCase);
        Assert.Empty(server.Letters);
        using var trusted = Trust(server.Certificate);
        await MakeDue();
        await Node("a", At(server.Port, tls: true, "portal", "wrong")).Drain(default);
        var refused = await Find(id);
        Assert.Equal(MailState.Waiting, refused.State);
        Assert.EndsWith("Check Smtp:User and Smtp:Password.", refused.LastError, StringComparison.Ordinal);
        await MakeDue();
        await Node("a", At(server.Port, tls: true, "portal", "s3cret word")).Drain(default);
        Assert.Equal((MailState.Sent, 3), ((await Find(id)).State, (await Find(id)).Attempts));
        var letter = Assert.Single(await Soon.Reads(() => Task.FromResult(server.Letters), l => l.Count == 1, "the mail"));
        Assert.Equal((true, "portal"), (letter.Secure, letter.User));
        Assert.DoesNotContain("s3cret", string.Join('\n', log.All.Select(l => l.Text)) + At(1, true, "portal", "s3cret word"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_put_off_comes_later_what_is_refused_is_given_up_and_said_and_neither_stops_the_others()
    {
        await using var server = await MailServerProcess.Start();
        var (later, never, odd, good) = (await Queue("later-1@example.com"), await Queue("never@example.com"), await Queue("no address at all"), await Queue("bob@example.com"));
        Assert.Equal(4, await Node("a", At(server.Port)).Drain(default));
        var (put, gone) = (await Find(later), await Find(never));
        Assert.Equal((MailState.Waiting, 1), (put.State, put.Attempts));
        Assert.Contains("451", put.LastError, StringComparison.Ordinal);
        Assert.InRange(put.DueAt - put.CreatedAt, TimeSpan.FromSeconds(15), TimeSpan.FromMinutes(2));
        Assert.Equal(MailState.Failed, gone.State);
        Assert.Contains("550", gone.LastError, StringComparison.Ordinal);
        Assert.Contains("no address", (await Find(odd)).LastError, StringComparison.Ordinal);
        Assert.Equal(MailState.Sent, (await Find(good)).State);
        await using (var db = database.Open())
        {
            var notices = await db.Notices.OrderBy(n => n.At).ToListAsync();
            Assert.Equal(2, notices.Count);
            Assert.Contains(notices, n => n.Text.Contains("\"Backup failed\" to never@example.com", StringComparison.Ordinal));
        }
        await MakeDue();
        Assert.Equal(1, await Node("a", At(server.Port)).Drain(default));
        Assert.Equal((MailState.Sent, 2, null), ((await Find(later)).State, (await Find(later)).Attempts, (await Find(later)).LastError));
        Assert.Equal(2, (await Soon.Reads(() => Task.FromResult(server.Letters), l => l.Count >= 2, "two mails")).Count);
    }

    [Fact]
    public async Task A_server_that_is_away_is_waited_for_and_what_waited_for_a_day_is_given_up()
    {
        var port = PortalProcess.FreePort();
        var ids = new List<Guid>();
        for (var i = 0; i < 5; i++) ids.Add(await Queue($"bob{i}@example.com"));
        // Not each of them tries in vain.
        Assert.InRange(await Node("a", At(port)).Drain(default), 1, 3);
        await Run("update mails set due_at = clock_timestamp(), created_at = created_at - interval '25 hours' where key = 'key-5'");
        for (var i = 0; (await Find(ids[4])).State == MailState.Waiting && i < 5; i++) await Node("a", At(port)).Drain(default);
        var old = await Find(ids[4]);
        Assert.Equal(MailState.Failed, old.State);
        Assert.StartsWith("Given up after 24 hours", old.LastError, StringComparison.Ordinal);
        await using var server = await MailServerProcess.Start(port);
        await MakeDue();
        Assert.Equal(4, await Node("a", At(port)).Drain(default));
        Assert.Equal(["bob0@example.com", "bob1@example.com", "bob2@example.com", "bob3@example.com"],
            (await Soon.Reads(() => Task.FromResult(server.Letters), l => l.Count == 4, "four mails")).SelectMany(l => l.To).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_server_that_hangs_costs_its_time_and_no_more()
    {
        using var silent = new TcpListener(System.Net.IPAddress.Loopback, 0);
        silent.Start();
        var clock = new FakeClock();
        var outcome = Delivery(At(((System.Net.IPEndPoint)silent.LocalEndpoint).Port), clock).Send(new OutgoingMail(Guid.Empty, "bob@example.com", "x", "x", null), default);
        using var accepted = await silent.AcceptTcpClientAsync();
        Assert.False(outcome.IsCompleted);
        clock.FastForward(TimeSpan.FromSeconds(15));
        Assert.Equal(new MailNotNow("127.0.0.1 did not take it within 15 s.", true), await outcome.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task A_portal_that_stops_gives_what_is_on_its_way_a_moment()
    {
        await using var server = await MailServerProcess.Start();
        var id = await Queue("slow@example.com");
        using var stop = new CancellationTokenSource();
        var draining = Node("a", At(server.Port)).Drain(stop.Token);
        await Soon.Comes(async () => (await Find(id)).Attempts == 1, "the mail being on its way");
        await stop.CancelAsync();
        await Soon.Comes(() => draining.IsCompleted, "the end");
        Assert.Equal(MailState.Sent, (await Find(id)).State);
    }

    [Fact]
    public async Task Two_nodes_send_each_mail_once_and_what_a_dead_node_had_claimed_is_sent_when_its_claim_lapses()
    {
        await using var server = await MailServerProcess.Start();
        for (var i = 0; i < 24; i++) await Queue($"bob{i}@example.com");
        await Run("update mails set claimed_by = 'dead', attempts = 1, due_at = clock_timestamp() + interval '2 minutes' where key = 'key-24'");
        var (a, b) = (Node("a", At(server.Port)), Node("b", At(server.Port)));
        var tried = await Task.WhenAll(a.Drain(default), b.Drain(default));
        Assert.Equal(23, tried.Sum());
        Assert.Equal(0, await a.Drain(default));
        await MakeDue();
        Assert.Equal(1, await b.Drain(default));
        var letters = await Soon.Reads(() => Task.FromResult(server.Letters), l => l.Count >= 24, "all mails");
        Assert.Equal(24, letters.SelectMany(l => l.To).Distinct().Count());
        Assert.Equal(24, letters.Count);
    }

    [Fact]
    public async Task Without_a_server_mail_lies_in_the_outbox_for_this_account_alone_and_the_newest_are_kept()
    {
        Directory.CreateDirectory(Outbox);
        for (var i = 0; i < MailOutbox.Kept; i++) await File.WriteAllTextAsync(Path.Combine(Outbox, $"20250101-000000-{i:D4}.eml"), "");
        var id = await Queue("bob@example.com");
        Assert.Equal(1, await Node("a", null).Drain(default));
        Assert.Equal(MailState.Written, (await Find(id)).State);
        var files = Directory.GetFileSystemEntries(Outbox, "*", new EnumerationOptions { AttributesToSkip = 0 }).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(MailOutbox.Kept, files.Count);
        Assert.DoesNotContain(files, f => f.EndsWith("-0000.eml", StringComparison.Ordinal));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(files[^1]));
        var raw = await File.ReadAllTextAsync(files[^1]);
        Assert.Contains("bob@example.com", raw, StringComparison.Ordinal);
        Assert.Contains("Subject: Backup failed", raw, StringComparison.Ordinal);
        Assert.Single(log.With("mail is not sent but written to"));
    }

    [Fact]
    public async Task A_running_portal_sends_what_waits_and_at_once_what_is_queued_anywhere()
    {
        var first = await Queue("bob@example.com");
        var (state, feed) = (new Portal.Hosting.StartupState(), new Portal.Live.ChangeFeed(TimeProvider.System, new Logger<Portal.Live.ChangeFeed>(log)));
        database.Database.Committed += feed.Hear;
        using var dispatch = new Features.Notices.MailDispatch(Node("a", null), state, feed, Configured.With(("Timing:FollowSeconds", "3600")), TimeProvider.System, new Logger<Features.Notices.MailDispatch>(log));
        await dispatch.StartAsync(default);
        state.MarkPrepared();
        await Soon.Comes(async () => (await Find(first)).State == MailState.Written, "what waited");
        var second = await Queue("carol@example.com");
        await Soon.Comes(async () => (await Find(second)).State == MailState.Written, "what was queued");
        await dispatch.StopAsync(default);
    }

    [Fact]
    public async Task What_was_sent_a_month_ago_is_forgotten_and_what_waits_is_not()
    {
        var (sent, waiting) = (await Queue("bob@example.com"), await Queue("carol@example.com"));
        await Run($"update mails set state = 'Sent', ended_at = now() - interval '31 days' where id = '{sent}'; update mails set created_at = now() - interval '31 days' where id = '{waiting}'");
        await Node("a", null).Tidy(default);
        await using var db = database.Open();
        Assert.Equal(waiting, Assert.Single(await db.Mails.ToListAsync()).Id);
    }

    [Fact]
    public void Waits_double_up_to_an_hour() =>
        Assert.Equal([15, 30, 60, 3_600, 3_600], new[] { 1, 2, 3, 12, 1_000 }.Select(n => (int)MailDispatcher.WaitAfter(n).TotalSeconds));

    /// <summary>The mail client asks this process for its trust, not us.</summary>
    static Undo Trust(System.Security.Cryptography.X509Certificates.X509Certificate2 certificate)
    {
#pragma warning disable SYSLIB0014, CA5359
        System.Net.ServicePointManager.ServerCertificateValidationCallback = (_, shown, _, _) => shown?.GetCertHashString() == certificate.Thumbprint;
        return new Undo(() => System.Net.ServicePointManager.ServerCertificateValidationCallback = null);
#pragma warning restore SYSLIB0014, CA5359
    }

    sealed class Undo(Action action) : IDisposable
    {
        public void Dispose() => action();
    }
}
