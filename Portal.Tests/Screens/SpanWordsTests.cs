using Portal.Components.Ui;

namespace Portal.Tests.Screens;

public sealed class SpanWordsTests
{
    [Theory]
    [InlineData(-5, "0 s")]
    [InlineData(0, "0 s")]
    [InlineData(0.04, "less than 0.1 s")]
    [InlineData(0.3, "0.3 s")]
    [InlineData(0.94, "0.9 s")]
    [InlineData(0.96, "1 s")]
    [InlineData(38, "38 s")]
    [InlineData(59.7, "1 min")]
    [InlineData(130, "2 min 10 s")]
    [InlineData(900, "15 min")]
    [InlineData(3_599.8, "1 h")]
    [InlineData(3_840, "1 h 04 min")]
    [InlineData(5_400, "1 h 30 min")]
    [InlineData(7_190, "2 h")]
    [InlineData(86_400, "24 h")]
    [InlineData(172_700, "47 h 58 min")]
    [InlineData(172_790, "2 d")]
    [InlineData(183_600, "2 d 3 h")]
    [InlineData(34_560_000, "400 d")]
    public void Lengths_of_time_are_said_as_people_say_them(double seconds, string words) => Assert.Equal(words, SpanWords.Of(TimeSpan.FromSeconds(seconds)));
}
