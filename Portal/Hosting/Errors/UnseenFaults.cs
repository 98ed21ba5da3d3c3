namespace Portal.Hosting.Errors;

/// <summary>Faults that nobody logs: of tasks that nobody awaited, and of threads, which end the process.</summary>
sealed class UnseenFaults(ErrorLog errors) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        TaskScheduler.UnobservedTaskException += Unobserved;
        AppDomain.CurrentDomain.UnhandledException += Unhandled;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        TaskScheduler.UnobservedTaskException -= Unobserved;
        AppDomain.CurrentDomain.UnhandledException -= Unhandled;
        return Task.CompletedTask;
    }

    void Unobserved(object? sender, UnobservedTaskExceptionEventArgs fault) =>
        errors.Report(fault.Exception.InnerExceptions is [var only] ? only : fault.Exception, typeof(TaskScheduler).FullName!, last: false);

    void Unhandled(object sender, UnhandledExceptionEventArgs fault)
    {
        if (fault.ExceptionObject is Exception exception) errors.Report(exception, typeof(AppDomain).FullName!, last: fault.IsTerminating);
    }
}
