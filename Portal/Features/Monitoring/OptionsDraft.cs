using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Features.Monitoring;

/// <summary>A header whose value is typed, or stays as it is stored.</summary>
public sealed class HeaderDraft
{
    public string Name { get; set; } = "";
    public string Value { get; set; } = "";
    public bool IsStored { get; init; }
}

/// <summary>What stands in those of the editor's fields that only some kinds have. What was typed for one kind is still there after a look at another.</summary>
public sealed class OptionsDraft
{
    public string Method { get; set; } = "GET";
    public string Body { get; set; } = "";
    public string ExpectText { get; set; } = "";
    public string RejectText { get; set; } = "";
    public string ExpectJsonPath { get; set; } = "";
    public string ExpectJsonValue { get; set; } = "";
    public string ExpectPattern { get; set; } = "";
    public string SlowerThanMilliseconds { get; set; } = "";
    public bool FollowRedirects { get; set; } = true;
    public string ExpectCertificateDays { get; set; } = "";
    public string RecordType { get; set; } = "A";
    public string Resolver { get; set; } = "";
    public string ExpectValue { get; set; } = "";
    public string Query { get; set; } = "select 1";
    public string Service { get; set; } = "";
    public bool StartTls { get; set; }
    public string PeriodSeconds { get; set; } = "";
    public string Cron { get; set; } = "";
    public string Zone { get; set; } = "UTC";
    public string GraceSeconds { get; set; } = "60";
    public bool ByCron { get; set; }
    public List<HeaderDraft> Headers { get; } = [];
    public string Password { get; set; } = "";
    public bool PasswordIsStored { get; private init; }
    public bool RemovesPassword { get; set; }
    IReadOnlyList<string> stored = [];
    // Unless somebody touches the box, redirects are followed as the accepted codes suggest.
    bool? followed;

    public static OptionsDraft Of(Monitor m)
    {
        var o = m.Options;
        var draft = new OptionsDraft
        {
            Method = o.Method ?? "GET",
            Body = o.Body ?? "",
            ExpectText = o.ExpectText ?? "",
            RejectText = o.RejectText ?? "",
            ExpectJsonPath = o.ExpectJsonPath ?? "",
            ExpectJsonValue = o.ExpectJsonValue ?? "",
            ExpectPattern = o.ExpectPattern ?? "",
            SlowerThanMilliseconds = Written(o.SlowerThanMilliseconds),
            FollowRedirects = o.FollowRedirects ?? true,
            ExpectCertificateDays = Written(o.ExpectCertificateDays),
            RecordType = o.RecordType ?? "A",
            Resolver = o.Resolver ?? "",
            ExpectValue = o.ExpectValue ?? "",
            Query = o.Query ?? "",
            Service = o.Service ?? "",
            StartTls = o.StartTls == true,
            PeriodSeconds = Written(o.PeriodSeconds),
            Cron = o.Cron ?? "",
            Zone = o.Zone ?? "UTC",
            GraceSeconds = Written(o.GraceSeconds),
            ByCron = o.Cron is not null,
            PasswordIsStored = MonitorSecrets.IsPassword(m.Kind) && m.SecretNames.Count > 0,
        };
        if (MonitorSecrets.AreHeaders(m.Kind)) draft.Headers.AddRange(m.SecretNames.Select(n => new HeaderDraft { Name = n, IsStored = true }));
        (draft.stored, draft.followed) = (m.SecretNames, o.FollowRedirects);
        return draft;
    }

    /// <summary>Of the kind's own fields alone.</summary>
    /// <exception cref="DomainException">A field holds no whole number; it is named.</exception>
    public MonitorOptions For(MonitorKind kind)
    {
        T? Of<T>(string field, T? value) => MonitorOptions.Knows(kind, field) ? value : default;
        int? Count(string field, string text, string bounds) => MonitorOptions.Knows(kind, field) && !string.IsNullOrWhiteSpace(text) ? MonitorDraft.Whole(text, field, bounds) : null;
        return new()
        {
            Method = Of("method", Method),
            Body = Of("body", Body),
            ExpectText = Of("expectText", ExpectText),
            RejectText = Of("rejectText", RejectText),
            ExpectJsonPath = Of("expectJsonPath", ExpectJsonPath),
            ExpectJsonValue = Of("expectJsonValue", ExpectJsonValue),
            ExpectPattern = Of("expectPattern", ExpectPattern),
            SlowerThanMilliseconds = Count("slowerThanMilliseconds", SlowerThanMilliseconds, "of milliseconds from 1 to 60,000"),
            FollowRedirects = Of("followRedirects", FollowRedirects ? followed == true ? true : null : (bool?)false),
            ExpectCertificateDays = Count("expectCertificateDays", ExpectCertificateDays, "of days from 1 to 365"),
            RecordType = Of("recordType", RecordType),
            Resolver = Of("resolver", Resolver),
            ExpectValue = Of("expectValue", ExpectValue),
            Query = Of("query", Query),
            Service = Of("service", Service),
            StartTls = Of("startTls", StartTls ? true : (bool?)null),
            PeriodSeconds = ByCron ? null : Count("periodSeconds", PeriodSeconds, "of seconds from 10 to 31,622,400 (366 days)"),
            Cron = ByCron ? Of("cron", Cron) : null,
            Zone = ByCron ? Of("zone", Zone) : null,
            GraceSeconds = Count("graceSeconds", GraceSeconds, "of seconds from 0 to 604,800 (7 days)"),
        };
    }

    /// <summary>Null when nothing was changed. An empty field keeps what is stored: nobody is shown it.</summary>
    /// <exception cref="DomainException">A header is there twice.</exception>
    public IReadOnlyDictionary<string, string?>? SecretsFor(MonitorKind kind)
    {
        var all = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        if (MonitorSecrets.IsPassword(kind) && (Password.Length > 0 || PasswordIsStored && !RemovesPassword)) all[MonitorSecrets.Password] = Password.Length > 0 ? Password : null;
        if (MonitorSecrets.AreHeaders(kind))
            foreach (var header in Headers.Where(h => h.Name.Trim().Length > 0 || h.Value.Length > 0))
                if (!all.TryAdd(header.Name.Trim(), header.Value.Length > 0 ? header.Value : null)) throw new DomainException($"The header {header.Name.Trim()} is there twice.", "secrets");
        return all.Values.All(v => v is null) && all.Count == stored.Count && stored.All(all.ContainsKey) ? null : all;
    }

    static string Written(int? number) => number is { } some ? MonitorDraft.Written(some) : "";
}
