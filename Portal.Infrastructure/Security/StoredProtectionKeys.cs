using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.EntityFrameworkCore;
using Portal.Infrastructure.Persistence;

namespace Portal.Infrastructure.Security;

/// <summary>Data-protection keys in PostgreSQL, shared by all nodes, each whole key wrapped by the master key and bound to its name.</summary>
/// <remarks>Nothing is touched at construction. While the database is away a read fails and data protection tries again later; keys that it read stay in its memory.</remarks>
public sealed class StoredProtectionKeys(IDbContextFactory<PortalDbContext> contexts, SecretBox box, TimeProvider clock) : IXmlRepository
{
    public IReadOnlyCollection<XElement> GetAllElements()
    {
        using var db = contexts.CreateDbContext();
        return [.. db.ProtectionKeys.AsNoTracking().ToList().Select(Unwrap)];
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        var wrapped = box.Seal(Encoding.UTF8.GetBytes(element.ToString(SaveOptions.DisableFormatting)), friendlyName);
        using var db = contexts.CreateDbContext();
        db.Add(new ProtectionKey { Name = friendlyName, WrappedXml = Convert.ToBase64String(wrapped), CreatedAt = clock.GetUtcNow() });
        db.SaveChanges();
    }

    XElement Unwrap(ProtectionKey key) => XElement.Parse(Encoding.UTF8.GetString(box.Open(Convert.FromBase64String(key.WrappedXml), key.Name)));
}
