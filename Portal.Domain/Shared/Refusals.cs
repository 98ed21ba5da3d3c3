namespace Portal.Domain.Shared;

/// <summary>A refusal by a rule of the domain: the text is safe to show to a person and says the way out.</summary>
/// <param name="message">What is refused, which value the rule allows, what to do.</param>
/// <param name="field">The input's name in camelCase where one field is to blame, else null.</param>
public sealed class DomainException(string message, string? field = null) : Exception(message)
{
    public string? Field { get; } = field;
}

/// <summary>What was asked for does not exist, or not for this person.</summary>
/// <param name="noun">What was looked for, in words: "component".</param>
public sealed class NotFoundException(string noun) : Exception($"There is no such {noun}.");

/// <summary>Somebody else changed the same thing first. Nothing was saved; <see cref="Current"/> is what stands now.</summary>
public sealed class ConflictException(string message, string? current = null) : Exception(message)
{
    /// <summary>The text that stands now, to be shown beside the refused one; null where there is no single text.</summary>
    public string? Current { get; } = current;
}

/// <summary>The actor may not do this.</summary>
public sealed class ForbiddenException(string message) : Exception(message);

/// <summary>The actor does this more often than it may be done; nothing is wrong with what was asked.</summary>
/// <param name="wait">How long until it may be done again; positive.</param>
public sealed class TooOftenException(string message, TimeSpan wait) : Exception(message)
{
    public TimeSpan Wait { get; } = wait;
}
