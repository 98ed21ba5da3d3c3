using Portal.Infrastructure.Sentry;
using Portal.Tests.Support;

namespace Portal.Tests.Errors;

public class RedactionTests
{
    [Theory]
    [InlineData("Mail to bob.smith+x@mail.example.com failed", "bob")]
    [InlineData("Mail to bob@localhost failed", "bob@")]
    [InlineData("Connection from 192.0.2.77 refused", "192.0.2.77")]
    [InlineData("Connection from 2001:db8::77:1 refused", "db8")]
    [InlineData("Connection from [::ffff:192.0.2.77]:443 refused", "ffff")]
    [InlineData("GET https://alice:hunter2@example.com/setup/hunter2?token=hunter2#hunter2 failed", "hunter2")]
    [InlineData("Host=db;Username=portal;Password=hunter2 and more;Database=portal", "hunter2")]
    [InlineData("Host=db;Username=portal;Password=correct horse hunter2", "hunter2")]
    [InlineData("Authorization: Bearer hunter2", "hunter2")]
    [InlineData("sent with Bearer hunter2", "hunter2")]
    [InlineData("Cookie: a=b; session=hunter2", "hunter2")]
    [InlineData("{\"apiKey\": \"hunter2\"}", "hunter2")]
    [InlineData("X-Api-Key=hunter2", "hunter2")]
    [InlineData("portal_hunter2 is unknown", "hunter2")]
    [InlineData("23505: duplicate key value violates unique constraint \"people_email\"\n\nDETAIL: Key (email)=(hunter2) already exists.", "hunter2")]
    [InlineData("Key (name)=(John hunter2) exists", "hunter2")]
    [InlineData("invalid input syntax for type uuid: \"hunter2\"", "hunter2")]
    [InlineData("The input string 'hunter2' was not in a correct format.", "hunter2")]
    [InlineData("no such thing: dGhpcyBpcyBhIHNlY3JldA0x", "dGhp")]
    [InlineData("no such thing: 0198c0de00007000800000000000000a", "c0de")]
    public void What_is_secret_or_personal_does_not_stay(string text, string planted) =>
        Assert.DoesNotContain(planted, Redaction.Of(text), StringComparison.OrdinalIgnoreCase);

    [Theory]
    [InlineData("Object reference not set to an instance of an object.")]
    [InlineData("42P01: relation \"api_keys\" does not exist")]
    [InlineData("Unable to resolve service for type 'Portal.Features.Access.SignIn' while attempting to activate 'Portal.Api.Refusals'.")]
    [InlineData("The shard was lost after 8.5 s at 12 of 256")]
    [InlineData("{Method} {Path} failed")]
    public void What_helps_to_understand_stays(string text) => Assert.Equal(text, Redaction.Of(text));

    [Fact]
    public void An_address_keeps_its_host() => Assert.Equal("GET https://example.com/… failed", Redaction.Of("GET https://a:b@example.com:8443/x?y failed"));

    [Fact]
    public void A_long_text_is_cut_and_does_not_take_long()
    {
        var began = TimeProvider.System.GetTimestamp();
        Assert.True(Redaction.Of(new string('a', 1_000_000) + "@").Length <= 2_010);
        foreach (var nasty in new[] { new string('a', 1_999) + "@", new string('1', 1_000) + ":", string.Concat(Enumerable.Repeat("a:", 900)), string.Concat(Enumerable.Repeat("token", 390)), new string('"', 1_999) }) Redaction.Of(nasty);
        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    [Theory]
    [InlineData("https://abc123@o1.ingest.example.com/42", "https://o1.ingest.example.com/api/42/envelope/")]
    [InlineData("https://abc123:old@sentry.example.com:9000/on/premise/42", "https://sentry.example.com:9000/on/premise/api/42/envelope/")]
    [InlineData("http://abc123@127.0.0.1:8969/1", "http://127.0.0.1:8969/api/1/envelope/")]
    public void A_dsn_says_where_envelopes_go(string text, string address)
    {
        Assert.True(SentryDsn.TryRead(text, out var dsn));
        Assert.Equal(("abc123", address), (dsn.Key, dsn.Envelopes.ToString()));
    }

    [Theory]
    [InlineData("Sentry:Dsn", "https://sentry.example.com/1")]
    [InlineData("Sentry:Dsn", "https://hunter2@sentry.example.com")]
    [InlineData("Sentry:Dsn", "ftp://hunter2@sentry.example.com/1")]
    [InlineData("Sentry:Dsn", "https://hunter2@sentry.example.com/1?x=1")]
    [InlineData("SENTRY_DSN", "hunter2")]
    [InlineData("Sentry:Environment", "two words")]
    [InlineData("SENTRY_ENVIRONMENT", "a/b")]
    [InlineData("Sentry:TracesSampleRate", "2")]
    public void What_is_malformed_stops_the_start_with_one_line_that_names_the_key(string key, string value)
    {
        var problem = Assert.Single(Configured.Read((key, value)).Problems);
        Assert.StartsWith(key + ": ", problem, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void The_names_that_others_use_work_too()
    {
        var sentry = Configured.With(("SENTRY_DSN", "https://abc@sentry.example.com/1"), ("SENTRY_ENVIRONMENT", "staging")).Sentry!;
        Assert.Equal(("abc", "staging"), (sentry.Dsn.Key, sentry.Environment));
        Assert.Null(Configured.Shipped.Sentry);
    }
}
