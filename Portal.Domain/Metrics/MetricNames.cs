namespace Portal.Domain.Metrics;

/// <summary>The series that the portal measures of itself. Times are in ms; counters count since the point before.</summary>
public static class MetricNames
{
    /// <summary>Answered requests, published pages included; label status: 1xx (a connection that was upgraded) to 5xx (a fault of ours).</summary>
    public const string Requests = "portal.requests";
    public const string RequestTime = "portal.request.time";
    public const string Queries = "portal.database.queries";
    public const string QueryErrors = "portal.database.errors";
    public const string QueryTime = "portal.database.query.time";
    /// <summary>Connections of the portal's own pool; label state: used or idle.</summary>
    public const string Connections = "portal.database.connections";
    /// <summary>Checks that began.</summary>
    public const string Checks = "portal.checks";
    /// <summary>How long after its time a check began.</summary>
    public const string CheckLag = "portal.checks.lag";
    /// <summary>What waits; label what: results (of checks, to be written), outbox, rollups.</summary>
    public const string Queue = "portal.queue";
    /// <summary>Questions to the shared cache; label result: hit or miss.</summary>
    public const string Cache = "portal.cache";
    /// <summary>Open public pages that are told of changes.</summary>
    public const string Viewers = "portal.viewers";
    /// <summary>Open staff screens.</summary>
    public const string Circuits = "portal.circuits";
    /// <summary>Share of all processors of the machine.</summary>
    public const string Processor = "portal.cpu";
    /// <summary>Bytes; label what: working set or managed heap.</summary>
    public const string Memory = "portal.memory";
}
