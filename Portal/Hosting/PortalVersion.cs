using System.Reflection;

namespace Portal.Hosting;

/// <summary>The version of this program, as it is released.</summary>
public static class PortalVersion
{
    public static string Text { get; } = typeof(PortalVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";
}
