using System.Globalization;
using Microsoft.AspNetCore.Components;
using Portal.Domain.Notifications;
using Portal.Domain.Shared;

namespace Portal.Features.Notifications;

/// <summary>A person's own ways to be paged: added, proved by a code, put in an order, tried.</summary>
public sealed partial class ContactsPage
{
    readonly Dictionary<ContactId, int> waits = [];
    OwnContacts.View? view;
    Contact? asked;
    ContactId? entered;
    string? said, code, address;
    int chosen, after;
    bool busy;

    [Inject] OwnContacts Contacts { get; set; } = null!;
    [Inject] AddContact Add { get; set; } = null!;
    [Inject] SendContactCode SendCode { get; set; } = null!;
    [Inject] VerifyContact Verify { get; set; } = null!;
    [Inject] ChangeContact Change { get; set; } = null!;
    [Inject] RemoveContact Remove { get; set; } = null!;
    [Inject] SendTestPage TestPage { get; set; } = null!;

    OwnContacts.Choice Choice => view!.Choices[Math.Clamp(chosen, 0, view.Choices.Count - 1)];

    protected override async Task OnInitializedAsync()
    {
        Watch("contacts", Load, TimeSpan.FromSeconds(1));
        await Fetch(Load);
    }

    async Task Load() => view = await Contacts.Load(await CurrentActor(), Left);

    int Waits(Contact contact) => waits.GetValueOrDefault(contact.Id, contact.AfterMinutes);

    static int Number(ChangeEventArgs e) => int.TryParse(e.Value?.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var minutes) ? minutes : -1;

    async Task<bool> Act(Func<Actor, Task> action, string? words)
    {
        busy = true;
        var done = await Try(async () =>
        {
            await action(await CurrentActor());
            await Load();
        });
        (busy, said) = (false, done ? words : null);
        return done;
    }

    Task<bool> TestIt(Contact contact) => Act(a => TestPage.Execute(contact.Id, a, Left), $"A test page is on its way to {contact.Address}.");

    Task<bool> SendAgain(Contact contact) => Act(a => SendCode.Execute(contact.Id, a, Left), $"Another code is on its way to {contact.Address}.");

    async Task AddIt()
    {
        var (kind, channel) = (Choice.Kind, Choice.Channel);
        if (await Act(a => Add.Execute(new(kind, channel, address, after), a, Left), "A code is on its way there: enter it above.")) address = null;
    }

    async Task Enter(ContactId id)
    {
        entered = id;
        if (await Act(a => Verify.Execute(id, code, a, Left), "You are paged there from now on.")) code = null;
    }

    async Task RemoveIt()
    {
        if (asked is { } contact && await Act(a => Remove.Execute(contact.Id, a, Left), $"{contact.Address} was removed.")) asked = null;
    }
}
