using Portal.Domain.Access;
using Portal.Domain.Shared;

namespace Portal.Tests.Support;

/// <summary>Alice owns, Bob responds, Charlie is an outsider.</summary>
static class Cast
{
    public static readonly Actor Alice = Person("Alice", Role.Admin);
    public static readonly Actor Bob = Person("Bob", Role.Staff);
    public static readonly Actor Charlie = new(ActorKind.Person, new Guid("00000000-0000-7000-8000-00000000000c"), "Charlie", new HashSet<Permission>(), "192.0.2.3");

    static Actor Person(string name, Role role) =>
        new(ActorKind.Person, new Guid($"00000000-0000-7000-8000-0000000000{(int)name[0]:x2}"), name, Permissions.Of(role), "192.0.2.1");
}
