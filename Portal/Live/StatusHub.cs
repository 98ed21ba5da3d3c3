using Microsoft.AspNetCore.SignalR;
using Portal.Public;

namespace Portal.Live;

/// <summary>The open pages of customers. They are only told; there is nothing that they could call.</summary>
public sealed class StatusHub(LivePages pages) : Hub
{
    /// <summary>A page is sent as its changed parts; larger ones are fetched.</summary>
    public const string Page = "page";
    /// <summary>Told to a page that just connected: the version that is current now.</summary>
    public const string Now = "now";

    public override async Task OnConnectedAsync()
    {
        var language = Context.GetHttpContext()?.Request.Query["language"].ToString() == PageLanguage.German.Code ? PageLanguage.German.Code : PageLanguage.English.Code;
        try
        {
            await Groups.AddToGroupAsync(Context.ConnectionId, language, Context.ConnectionAborted);
            await Clients.Caller.SendAsync(Now, pages.Current(language), Context.ConnectionAborted);
        }
        // A page that left while it connected is no fault of ours.
        catch (OperationCanceledException) when (Context.ConnectionAborted.IsCancellationRequested) { }
    }
}
