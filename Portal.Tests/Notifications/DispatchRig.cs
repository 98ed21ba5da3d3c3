using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Portal.Domain.Access;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.Notifications;
using Portal.Infrastructure;
using Portal.Infrastructure.Notifications;
using Portal.Infrastructure.Notifications.Email;
using Portal.Infrastructure.Security;
using Portal.Tests.Support;

namespace Portal.Tests.Notifications;

/// <summary>A database with Alice and Bob, an alert, channels that lead to a receiver, and nodes that dispatch.</summary>
sealed class DispatchRig : IAsyncDisposable
{
    readonly TestDatabase database = new();
    readonly ScratchFolder scratch = new();
    readonly MasterKey key;
    int count;

    DispatchRig()
    {
        key = new MasterKey(scratch["keys", "master.key"]);
        key.Create();
        Book = new ChannelBook(Kinds.All(TimeProvider.System, new MailDelivery(null, new MailOutbox(scratch["outbox"], TimeProvider.System, new Logger<MailOutbox>(Log)), TimeProvider.System, new Logger<MailDelivery>(Log))), new SecretBox(key));
    }

    public LogLines Log { get; } = new();
    public ReceiverServer Receiver { get; } = new();
    public ChannelBook Book { get; private set; }
    public TestDatabase Database => database;
    public AnswerLinks Links => new(key);
    public Person Alice { get; } = new("Alice", "alice@example.com", Role.Admin, TimeProvider.System.GetUtcNow());
    public Person Bob { get; } = new("Bob", "bob@example.com", Role.Staff, TimeProvider.System.GetUtcNow());
    public AlertId Alert { get; private set; }
    static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    public static async Task<DispatchRig> Start(MailServer? mail = null)
    {
        var rig = new DispatchRig();
        if (mail is not null) rig.Book = new ChannelBook(Kinds.All(TimeProvider.System, new MailDelivery(mail, new MailOutbox(rig.scratch["outbox"], TimeProvider.System, new Logger<MailOutbox>(rig.Log)), TimeProvider.System, new Logger<MailDelivery>(rig.Log))), new SecretBox(rig.key));
        await rig.database.InitializeAsync();
        await using var db = rig.database.Open();
        var service = new Service(new ServiceSettings("Checkout", "checkout", null, new(null, null, null, null), null, null, 0, null, []), [1, 2, 3], [1], Now);
        var alert = new Alert(service.Id, new AlertSignal(SignalAction.Trigger, "k", Severity.P1, "Checkout fails", "shop", new([])), Now);
        rig.Alert = alert.Id;
        db.AddRange(rig.Alice, rig.Bob, service, alert);
        await db.SaveChangesAsync();
        return rig;
    }

    public DeliveryRecords Records(string node = "a") => new(database.Contexts, new NodeName(node), TimeProvider.System);

    public DeliveryDispatcher Node(string name = "a") =>
        new(database.Contexts, new DeliveryClaims(database.Database, new NodeName(name)), Records(name), new MessageWriter(Links, Book, () => "https://status.example.com"), TimeProvider.System, new Logger<DeliveryDispatcher>(Log));

    public async Task<Channel> Channel(ChannelKind kind, ChannelLimits? limits = null, string? url = null)
    {
        var (options, secrets) = Book.Cleaned(kind, Kinds.Settings(kind, url ?? Receiver.Url), new Dictionary<string, string>(), allowPrivate: true);
        var id = Portal.Domain.Shared.Id.New<ChannelId>(Now);
        var channel = new Channel($"{kind} {++count}", kind, limits ?? new(), options, Book.Seal(secrets, id), Now, id);
        await using var db = database.Open();
        db.Channels.Add(channel);
        await db.SaveChangesAsync();
        return channel;
    }

    public async Task<Contact> Contact(Person person, ChannelKind kind, Channel? channel, string address, int after = 0)
    {
        var contact = new Contact(person.Id, kind, channel?.Id, address, null, after, Now);
        contact.SendCode([1], Now);
        contact.Verify([1], Now);
        await using var db = database.Open();
        db.Contacts.Add(contact);
        await db.SaveChangesAsync();
        return contact;
    }

    public Task<DeliveryId> Page(Channel channel, bool isTest = false) => Queue(new(channel.Kind, channel.Id, null, null, channel.Name), isTest);

    public Task<DeliveryId> Page(Contact contact, TimeSpan after = default) => Queue(new(contact.Kind, contact.ChannelId, contact.PersonId, contact.Id, contact.Address), after: after);

    public async Task<DeliveryId> Queue(DeliveryAddress to, bool isTest = false, TimeSpan after = default, int step = 0)
    {
        var delivery = new Delivery(DeliveryPurpose.Page, to, string.Create(CultureInfo.InvariantCulture, $"page/{++count}"), $"P1: checkout fails {count}", "Error rate 12 %", Alert, Now.AddSeconds(-1) + after, Now, step, isTest);
        await using var db = database.Open();
        db.Deliveries.Add(delivery);
        await db.SaveChangesAsync();
        return delivery.Id;
    }

    public async Task<Delivery> Find(DeliveryId id)
    {
        await using var db = database.Open();
        return await db.Deliveries.AsNoTracking().SingleAsync(d => d.Id == id);
    }

    public async Task<List<Delivery>> All()
    {
        await using var db = database.Open();
        return await db.Deliveries.AsNoTracking().OrderBy(d => d.CreatedAt).ThenBy(d => d.Id).ToListAsync();
    }

    public async Task<List<string>> Timeline()
    {
        await using var db = database.Open();
        return await db.AlertEvents.AsNoTracking().OrderBy(e => e.At).ThenBy(e => e.Id).Select(e => e.Kind + " " + e.Text).ToListAsync();
    }

    public async Task Run(string sql)
    {
        await using var command = database.Database.Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public Task MakeDue() => Run("update deliveries set due_at = clock_timestamp() where state = 'Waiting' and due_at < 'infinity'");

    public async ValueTask DisposeAsync()
    {
        await Receiver.DisposeAsync();
        await database.DisposeAsync();
        scratch.Dispose();
    }
}
