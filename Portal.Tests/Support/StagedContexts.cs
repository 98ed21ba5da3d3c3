using Microsoft.EntityFrameworkCore;
using Portal.Infrastructure.Persistence;

namespace Portal.Tests.Support;

/// <summary>Contexts that are told, as they are asked for, the how many-th they are: something can happen between two queries.</summary>
sealed class StagedContexts(Func<int, Task<PortalDbContext>> make) : IDbContextFactory<PortalDbContext>
{
    int asked;

    public PortalDbContext CreateDbContext() => throw new NotSupportedException("Contexts are made asynchronously.");

    public Task<PortalDbContext> CreateDbContextAsync(CancellationToken ct) => make(Interlocked.Increment(ref asked));
}
