namespace Portal.Infrastructure;

/// <summary>The portal cannot go on until a person does something: one line that says what, without a secret.</summary>
public sealed class CannotStartException(string message) : Exception(message);
