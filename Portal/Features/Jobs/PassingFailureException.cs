namespace Portal.Features.Jobs;

/// <summary>An attempt failed for a reason that may pass: it is tried again if its kind allows. The text is for a person.</summary>
public sealed class PassingFailureException(string message, Exception? inner = null) : Exception(message, inner);
