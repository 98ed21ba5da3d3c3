using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Features.StatusPages;

namespace Portal.Tests.StatusPages;

public class ComponentOrderTests
{
    static readonly DateTimeOffset Now = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
    static readonly ComponentId[] C = [.. Enumerable.Range(0, 4).Select(i => Id.New<ComponentId>(Now.AddSeconds(i)))];
    static readonly ComponentGroupId[] G = [.. Enumerable.Range(0, 2).Select(i => Id.New<ComponentGroupId>(Now.AddSeconds(i)))];

    /// <summary>0 | 1 2 | 3</summary>
    static readonly ComponentOrder Order = new([new(null, [C[0]]), new(G[0], [C[1], C[2]]), new(G[1], [C[3]])]);

    static string Show(ComponentOrder order) =>
        string.Join(" | ", order.Sections.Select(s => (s.Group is { } g ? $"{(char)('A' + Array.IndexOf(G, g))} " : "") + string.Concat(s.Components.Select(c => Array.IndexOf(C, c)))));

    [Theory]
    [InlineData(1, 1, "0 | A 21 | B 3")]
    [InlineData(2, -1, "0 | A 21 | B 3")]
    [InlineData(2, 1, "0 | A 1 | B 23")]
    [InlineData(1, -1, "01 | A 2 | B 3")]
    [InlineData(0, -1, "0 | A 12 | B 3")]
    [InlineData(3, 1, "0 | A 12 | B 3")]
    [InlineData(0, 1, " | A 012 | B 3")]
    public void A_step_goes_over_the_edge_of_a_group_into_the_next(int component, int by, string expected) =>
        Assert.Equal(expected, Show(Order.Step(C[component], by)));

    [Fact]
    public void A_dropped_component_lands_beside_or_inside_what_it_was_dropped_on()
    {
        Assert.Equal("0 | A 2 | B 13", Show(Order.Beside(C[1], C[3], after: false)));
        Assert.Equal("0 | A 2 | B 31", Show(Order.Beside(C[1], C[3], after: true)));
        Assert.Equal("0 | A 21 | B 3", Show(Order.Beside(C[1], C[2], after: true)));
        Assert.Equal("0 | A 12 | B 3", Show(Order.Beside(C[1], C[1], after: true)));
        Assert.Equal(" | A 120 | B 3", Show(Order.Into(C[0], G[0])));
        Assert.Equal("03 | A 12 | B ", Show(Order.Into(C[3], null)));
    }

    [Fact]
    public void Groups_move_with_what_they_hold_and_never_before_those_without_one()
    {
        Assert.Equal("0 | B 3 | A 12", Show(Order.Step(G[0], 1)));
        Assert.Equal("0 | B 3 | A 12", Show(Order.Step(G[1], -1)));
        Assert.Equal("0 | A 12 | B 3", Show(Order.Step(G[0], -1)));
        Assert.Equal("0 | B 3 | A 12", Show(Order.Beside(G[1], G[0], after: false)));
    }
}
