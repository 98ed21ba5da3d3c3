using Microsoft.AspNetCore.Components;
using Portal.Domain.Notifications;
using Portal.Domain.Shared;
using Portal.Hosting;
using Portal.Infrastructure.Notifications;

namespace Portal.Features.Notifications;

/// <summary>Channels, contact groups, and how people are reached.</summary>
public sealed partial class IntegrationsPage
{
    IReadOnlyList<ChannelList.Row>? channels;
    IReadOnlyList<ContactGroup>? groups;
    IReadOnlyList<ReachOfPeople.Row>? people;
    Channel? asked;
    ChannelId? edited;
    string? said;
    bool busy, isWell;

    [Inject] ChannelList Channels { get; set; } = null!;
    [Inject] ContactGroupList Groups { get; set; } = null!;
    [Inject] ReachOfPeople People { get; set; } = null!;
    [Inject] ChangeChannel Change { get; set; } = null!;
    [Inject] DeleteChannel Delete { get; set; } = null!;
    [Inject] TryChannel Test { get; set; } = null!;
    [Inject] PortalOptions Options { get; set; } = null!;
    [Inject] PortalAddress Address { get; set; } = null!;

    protected override async Task OnInitializedAsync()
    {
        Watch("channels", Load, TimeSpan.FromSeconds(1));
        Watch("contacts", Load, TimeSpan.FromSeconds(1));
        await Fetch(Load);
    }

    async Task Load()
    {
        var actor = await CurrentActor();
        (groups, people) = (await Groups.Load(actor, Left), await People.Load(actor, Left));
        channels = await Channels.Load(actor, Left);
    }

    async Task<bool> Act(Func<Actor, Task> action, string? words)
    {
        busy = true;
        var done = await Try(async () =>
        {
            await action(await CurrentActor());
            await Load();
        });
        (busy, isWell) = (false, true);
        said = done ? words : null;
        return done;
    }

    async Task TryIt(Channel channel)
    {
        SendOutcome? outcome = null;
        if (!await Act(async a => outcome = await Test.Execute(new(channel.Id), a, Left), null)) return;
        (said, isWell) = outcome switch
        {
            SendOutcome.Permanent refused => ($"{channel.Name} did not take it, and never will: {refused.Reason}", false),
            SendOutcome.Transient later => ($"{channel.Name} did not take it now: {later.Reason}", false),
            _ => ($"{channel.Name} took the test message.", true),
        };
    }

    async Task Saved(string words)
    {
        await Try(Load);
        (edited, said, isWell) = (null, words, true);
    }

    async Task DeleteIt()
    {
        if (asked is { } channel && await Act(a => Delete.Execute(channel.Id, a, Left), $"{channel.Name} was deleted.")) asked = null;
    }
}
