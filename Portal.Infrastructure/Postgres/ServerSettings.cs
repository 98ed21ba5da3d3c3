namespace Portal.Infrastructure.Postgres;

/// <summary>How the private server is set up: for one portal on a machine that does other things too.</summary>
static class ServerSettings
{
    public static IEnumerable<string> Arguments(int port, string sockets)
    {
        var settings = new (string Name, string Value)[]
        {
            ("port", $"{port}"),
            ("listen_addresses", "127.0.0.1"),
            ("unix_socket_directories", sockets),
            ("unix_socket_permissions", "0700"),
            ("max_connections", "100"),
            ("shared_buffers", "128MB"),
            ("effective_cache_size", "512MB"),
            ("work_mem", "8MB"),
            ("maintenance_work_mem", "64MB"),
            ("wal_compression", "on"),
            ("random_page_cost", "1.1"),
            ("jit", "off"),
            ("password_encryption", "scram-sha-256"),
            ("timezone", "UTC"),
            ("idle_in_transaction_session_timeout", "5min"),
            // A file for each day of the week, begun anew when the day comes again: bounded without a clean-up.
            ("logging_collector", "on"),
            ("log_directory", "log"),
            ("log_filename", "postgresql-%a.log"),
            ("log_truncate_on_rotation", "on"),
            ("log_rotation_age", "1d"),
            ("log_timezone", "UTC"),
            ("log_line_prefix", "%m [%p] %a "),
            // Statements may carry what people typed.
            ("log_min_error_statement", "panic"),
        };
        return settings.SelectMany(s => new[] { "-c", $"{s.Name}={s.Value}" });
    }
}
