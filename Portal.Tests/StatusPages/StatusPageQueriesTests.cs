using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Portal.Features.StatusPages;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Persistence.DemoData;
using Portal.Tests.Support;

namespace Portal.Tests.StatusPages;

public class StatusPageQueriesTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Fact]
    public async Task Twelve_queries_at_most_read_the_whole_page()
    {
        // Ten components with charts, incidents and maintenance: a query for each of anything would show.
        var clock = new FakeClock();
        Assert.True(await new DemoData(database.Contexts, clock).Fill(default));
        var counter = new Counter();
        var options = new DbContextOptionsBuilder<PortalDbContext>(Database.OptionsFor(database.Database.Source)).AddInterceptors(counter).Options;
        await new StatusPageSnapshot(new Factory(options)).Load(null, clock.GetUtcNow(), default);
        Assert.InRange(counter.Commands, 8, 12);
    }

    sealed class Factory(DbContextOptions<PortalDbContext> options) : IDbContextFactory<PortalDbContext>
    {
        public PortalDbContext CreateDbContext() => new(options);
    }

    sealed class Counter : DbCommandInterceptor
    {
        public int Commands { get; private set; }

        public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
        {
            Commands++;
            return base.ReaderExecutingAsync(command, eventData, result, cancellationToken);
        }
    }
}
