using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Portal.Tests.Monitoring;

/// <summary>
/// The wire between a node and its PostgreSQL, which a test can cut (refused and reset) or freeze (nothing moves, nothing ends), or let lose an answer:
/// the server does what it was asked, and the connection breaks before anybody hears of it.
/// </summary>
sealed class DatabaseLine : IDisposable
{
    readonly CancellationTokenSource ended = new();
    readonly NpgsqlConnectionStringBuilder real;
    readonly List<TcpClient> open = [];
    readonly int port;
    TcpListener? listener;
    volatile TaskCompletionSource flowing = Done();
    (string Words, bool AtCommit)? toLose;
    string? toFreezeAt;
    int lost;

    public DatabaseLine(string connectionString)
    {
        real = new NpgsqlConnectionStringBuilder(connectionString);
        listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        port = ((IPEndPoint)listener.LocalEndpoint).Port;
        _ = Accept(listener);
        ConnectionString = new NpgsqlConnectionStringBuilder(connectionString) { Host = "127.0.0.1", Port = port, Timeout = 2, CommandTimeout = 2, CancellationTimeout = 500 }.ConnectionString;
    }

    public string ConnectionString { get; }

    public void Cut()
    {
        listener?.Stop();
        listener = null;
        lock (open)
        {
            foreach (var client in open) client.Close();
            open.Clear();
        }
    }

    /// <summary>How many answers were lost so far.</summary>
    public int Lost => Volatile.Read(ref lost);

    /// <summary>The next command with these words is carried out and its answer lost.</summary>
    public void LoseAnswerTo(string words) { lock (open) toLose = (words, false); }

    /// <summary>The next transaction in which these words are sent is committed and the answer to that lost.</summary>
    public void LoseCommitAfter(string words) { lock (open) toLose = (words, true); }

    /// <summary>As <see cref="Freeze"/>, as soon as these words are on their way: what came before them in their transaction stands and waits.</summary>
    public void FreezeAt(string words) { lock (open) toFreezeAt = words; }

    public bool IsFrozen => !flowing.Task.IsCompleted;

    public void Freeze() => flowing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Mend()
    {
        flowing.TrySetResult();
        if (listener is not null) return;
        listener = new TcpListener(IPAddress.Loopback, port);
        listener.Server.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Start();
        _ = Accept(listener);
    }

    async Task Accept(TcpListener on)
    {
        try
        {
            while (true) _ = Join(await on.AcceptTcpClientAsync(ended.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException) { }
    }

    async Task Join(TcpClient near)
    {
        var far = new TcpClient();
        lock (open) open.AddRange([near, far]);
        try
        {
            await far.ConnectAsync(real.Host!, real.Port, ended.Token);
            var connection = new Connection(this);
            await Task.WhenAny(Pass(near.GetStream(), far.GetStream(), connection.Asked), Pass(far.GetStream(), near.GetStream(), connection.Answered));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or IOException or ObjectDisposedException or InvalidOperationException) { }
        near.Close();
        far.Close();
    }

    /// <param name="look">What to do with a piece that came: hand it on, keep it back, or end the connection.</param>
    async Task Pass(NetworkStream from, NetworkStream to, Func<ReadOnlyMemory<byte>, Then> look)
    {
        var buffer = new byte[16 * 1024];
        while (true)
        {
            var read = await from.ReadAsync(buffer, ended.Token);
            if (read == 0) return;
            await flowing.Task.WaitAsync(ended.Token);
            var then = look(buffer.AsMemory(0, read));
            if (then == Then.End) return;
            if (then == Then.Wait) await flowing.Task.WaitAsync(ended.Token);
            if (then is Then.HandOn or Then.Wait) await to.WriteAsync(buffer.AsMemory(0, read), ended.Token);
        }
    }

    enum Then { HandOn, KeepBack, Wait, End }

    sealed class Connection(DatabaseLine line)
    {
        /// <summary>"Ready for query", outside of a transaction: whatever was asked is done and committed.</summary>
        static readonly byte[] Ready = [(byte)'Z', 0, 0, 0, 5, (byte)'I'];
        bool began;
        volatile bool deaf;

        public Then Asked(ReadOnlyMemory<byte> piece)
        {
            lock (line.open)
            {
                if (line.toFreezeAt is { } at && piece.Span.IndexOf(System.Text.Encoding.UTF8.GetBytes(at)) >= 0)
                {
                    line.toFreezeAt = null;
                    line.Freeze();
                    return Then.Wait;
                }
                if (line.toLose is not var (words, atCommit)) return Then.HandOn;
                began |= piece.Span.IndexOf(System.Text.Encoding.UTF8.GetBytes(words)) >= 0;
                if (!began || atCommit && piece.Span.IndexOf("COMMIT"u8) < 0) return Then.HandOn;
                (line.toLose, deaf) = (null, true);
            }
            return Then.HandOn;
        }

        public Then Answered(ReadOnlyMemory<byte> piece)
        {
            if (!deaf) return Then.HandOn;
            if (!piece.Span.EndsWith(Ready)) return Then.KeepBack;
            Interlocked.Increment(ref line.lost);
            return Then.End;
        }
    }

    static TaskCompletionSource Done()
    {
        var done = new TaskCompletionSource();
        done.SetResult();
        return done;
    }

    public void Dispose()
    {
        ended.Cancel();
        Cut();
        ended.Dispose();
    }
}
