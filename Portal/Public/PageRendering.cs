using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Extensions.Logging.Abstractions;

namespace Portal.Public;

/// <summary>Turns a component into a string, outside any request. All components of public pages are synchronous: there is nothing to wait for.</summary>
public sealed class PageRendering : IDisposable
{
    readonly ServiceProvider services = new ServiceCollection()
        // Umlauts stay readable; what could end a text or an attribute is still encoded.
        .AddSingleton(HtmlEncoder.Create(UnicodeRanges.All))
        .BuildServiceProvider();

    public string Html<TPart>(params (string Name, object? Value)[] parameters) where TPart : IComponent
    {
        using var renderer = new HtmlRenderer(services, NullLoggerFactory.Instance);
        var html = "";
        var rendered = renderer.Dispatcher.InvokeAsync(() =>
        {
            var root = renderer.BeginRenderingComponent<TPart>(ParameterView.FromDictionary(parameters.ToDictionary(p => p.Name, p => p.Value)));
            html = root.ToHtmlString();
        });
        if (rendered.IsFaulted) throw rendered.Exception!.InnerException!;
        return rendered.IsCompletedSuccessfully ? html : throw new InvalidOperationException($"{typeof(TPart).Name} did not render at once.");
    }

    public byte[] Bytes<TPart>(params (string Name, object? Value)[] parameters) where TPart : IComponent =>
        Encoding.UTF8.GetBytes(Html<TPart>(parameters).TrimStart());

    public void Dispose() => services.Dispose();
}
