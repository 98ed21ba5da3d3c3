using System.Globalization;

namespace Portal.Benchmarks;

/// <summary>A database of orders and what happened to them: words, numbers, times and ids, the same in every run, which gzip brings to about a third.</summary>
static class GeneratedShop
{
    const int AtOnce = 40_000, Sentences = 20_000;

    const string Words = "the order was paid late and parcel left our store in good time for customer who asked to have it sent again after first one came back with a broken seal please call before noon or leave at side door "
        + "invoice number does not match delivery note so accounts will check each line by hand tomorrow morning white blue large small cotton wool steel glass paper shirt lamp chair table kettle garden winter summer cable battery charger "
        + "refund exchange voucher discount shipping express courier warehouse pallet shelf stock missing damaged returned accepted rejected delayed confirmed cancelled weekend holiday neighbour office reception signature photograph address postcode";

    public static IReadOnlyList<string> Tables { get; } = ["sentences", "customers", "orders", "events"];

    /// <returns>Its bytes as the server counts them, at least so many.</returns>
    public static async Task<long> Make(StockTools tools, string database, long bytes)
    {
        await tools.Ask("portal", $"create database {database}");
        await tools.Ask(database, $"""
            create table sentences as
                select n as place, (select string_agg((string_to_array('{Words}', ' '))[1 + (hashint8(n * 16 + w) & 2147483647) % {Words.Split(' ').Length}], ' ') from generate_series(0, 6 + n % 6) w) as text from generate_series(0, {Sentences - 1}) n;
            create table customers (id bigint primary key, name text not null, email text not null, since date not null);
            create table orders (id bigint primary key, customer_id bigint not null, placed_at timestamptz not null, state text not null, amount numeric(10,2) not null, reference uuid not null, note text not null);
            create table events (id bigint primary key, order_id bigint not null, at timestamptz not null, milliseconds double precision not null, details jsonb not null);
            create index on orders (placed_at);
            insert into customers select n, initcap(s.text), replace(s.text, ' ', '.') || n || '@example.com', date '2019-01-01' + n % 2000 from generate_series(0, 9999) n join sentences s on s.place = n
            """);
        var size = 0L;
        for (var from = 0L; size < bytes; from += AtOnce)
        {
            await tools.Ask(database, $"""
                set synchronous_commit = off; set jit = off; set work_mem = '64MB';
                insert into orders
                    select n, (hashint8(n) & 2147483647) % 10000, timestamptz '2024-01-01' + n * interval '7.3 seconds', (array['paid', 'sent', 'open', 'returned'])[1 + n % 4], (hashint8(n + 1) & 2147483647) % 1000000 / 100.0, md5(n::text)::uuid, a.text || '. ' || b.text || '. ' || c.text
                    from generate_series({from}, {from + AtOnce - 1}) n
                    join sentences a on a.place = (hashint8(n * 3) & 2147483647) % {Sentences} join sentences b on b.place = (hashint8(n * 5) & 2147483647) % {Sentences} join sentences c on c.place = (hashint8(n * 7) & 2147483647) % {Sentences};
                insert into events
                    select n, n / 2, timestamptz '2024-01-01' + n * interval '3.6 seconds', (hashint8(n * 11) & 2147483647) % 10000000 / 1000.0, jsonb_build_object('node', 'shop-' || n % 16, 'trace', md5(n::text), 'amount', (hashint8(n * 13) & 2147483647) % 100000, 'text', s.text)
                    from generate_series({2 * from}, {2 * (from + AtOnce) - 1}) n join sentences s on s.place = (hashint8(n * 17) & 2147483647) % {Sentences}
                """);
            size = long.Parse(await tools.Ask(database, $"select pg_database_size('{database}')"), CultureInfo.InvariantCulture);
        }
        // Checked once, not for each row.
        await tools.Ask(database, "alter table orders add foreign key (customer_id) references customers");
        await tools.Ask(database, "vacuum analyze");
        return long.Parse(await tools.Ask(database, $"select pg_database_size('{database}')"), CultureInfo.InvariantCulture);
    }
}
