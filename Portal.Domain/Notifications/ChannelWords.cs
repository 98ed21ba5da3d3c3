namespace Portal.Domain.Notifications;

/// <summary>What kinds of channels and addresses are called where people read of them.</summary>
public static class ChannelWords
{
    public static string Of(ChannelKind kind) => kind switch
    {
        ChannelKind.Email => "E-mail",
        ChannelKind.Sms => "SMS",
        ChannelKind.Voice => "Phone call",
        ChannelKind.WebPush => "Web push",
        ChannelKind.Ntfy => "ntfy",
        _ => kind.ToString(),
    };

    /// <summary>As much of a person's address as others may see: enough to tell two apart, too little to use.</summary>
    public static string Hint(ChannelKind kind, string address) => kind switch
    {
        ChannelKind.WebPush => address,
        ChannelKind.Email when address.IndexOf('@') is > 0 and var at => $"{address[0]}…{address[at..]}",
        _ => address.Length > 4 ? $"…{address[^2..]}" : "…",
    };
}
