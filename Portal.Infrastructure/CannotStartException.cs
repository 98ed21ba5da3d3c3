namespace Portal.Infrastructure;

/// <summary>The portal cannot go on until a person does something: one line that says what, without a secret.</summary>
public class CannotStartException(string message) : Exception(message);

/// <summary>Another portal runs on this data folder.</summary>
/// <param name="holder">Its process; null where it cannot be told.</param>
public sealed class FolderInUseException(string message, string? holder) : CannotStartException(message)
{
    public string? Holder { get; } = holder;
}
