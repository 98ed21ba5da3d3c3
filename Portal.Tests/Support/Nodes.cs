namespace Portal.Tests.Support;

/// <summary>Tests of several processes whose leases run by the clock: one after the other, so that none of them starves another.</summary>
[CollectionDefinition(Name)]
public sealed class Nodes
{
    public const string Name = "Nodes";
}
