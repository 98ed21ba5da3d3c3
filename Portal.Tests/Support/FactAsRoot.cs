namespace Portal.Tests.Support;

/// <summary>A test of what only root does, as running PostgreSQL as somebody else; the others count it as skipped.</summary>
[AttributeUsage(AttributeTargets.Method)]
sealed class FactAsRootAttribute : FactAttribute
{
    public FactAsRootAttribute()
    {
        if (!Environment.IsPrivilegedProcess) Skip = "Only root can do what this test does: run the tests as root too.";
    }
}
