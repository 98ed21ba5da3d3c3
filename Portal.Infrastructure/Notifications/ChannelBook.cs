using System.Text.Json;
using Portal.Domain.Notifications;
using Portal.Domain.Shared;
using Portal.Infrastructure.Security;

namespace Portal.Infrastructure.Notifications;

/// <summary>Every kind of channel, and the settings of channels on their way into the database and out again.</summary>
public sealed class ChannelBook(IEnumerable<INotificationChannel> kinds, SecretBox box)
{
    readonly Dictionary<ChannelKind, INotificationChannel> byKind = kinds.ToDictionary(k => k.Kind);

    public IReadOnlyCollection<INotificationChannel> Kinds => byKind.Values;

    /// <exception cref="DomainException">This version has no such kind.</exception>
    public INotificationChannel Of(ChannelKind kind) => byKind.GetValueOrDefault(kind) ?? throw new DomainException($"{ChannelWords.Of(kind)} is not built yet.", "kind");

    public byte[]? Seal(IReadOnlyDictionary<string, string> secrets, ChannelId channel) => secrets.Count == 0 ? null : box.Seal(JsonSerializer.Serialize(secrets, JsonSerializerOptions.Default), channel.Value);

    public byte[] Seal(string address, ContactId contact) => box.Seal(address, contact.Value);

    /// <exception cref="System.Security.Cryptography.CryptographicException">Sealed by another key, or for another row.</exception>
    public IReadOnlyDictionary<string, string> Secrets(Channel channel) => channel.SealedSecrets is not { } stored ? new Dictionary<string, string>()
        : JsonSerializer.Deserialize<Dictionary<string, string>>(box.Open(stored, channel.Id.Value), JsonSerializerOptions.Default)!;

    /// <param name="address">Of the person; null for the channel's own place.</param>
    public ChannelSettings Settings(Channel channel, string? address = null) => new(channel.Id, channel.Options, Secrets(channel), address);

    public string? Open(Contact contact) => contact.SealedAddress is { } stored ? box.Open(stored, contact.Id.Value) : null;

    /// <summary>What was entered, by the fields of its kind.</summary>
    /// <param name="given">Options and secrets by name; a secret that is null or left out stays as it is.</param>
    /// <param name="kept">The secrets that stand.</param>
    /// <exception cref="DomainException">Names the field.</exception>
    public (IReadOnlyDictionary<string, string> Options, IReadOnlyDictionary<string, string> Secrets) Cleaned(ChannelKind kind, IReadOnlyDictionary<string, string?> given, IReadOnlyDictionary<string, string> kept, bool allowPrivate)
    {
        var fields = Of(kind).Fields;
        if (given.Keys.FirstOrDefault(n => fields.All(f => f.Name != n)) is { } unknown) throw new DomainException($"{ChannelWords.Of(kind)} knows no \"{unknown}\"; it knows {string.Join(", ", fields.Select(f => f.Name))}.", "settings");
        var (options, secrets) = (new Dictionary<string, string>(), new Dictionary<string, string>());
        foreach (var field in fields)
        {
            var value = given.GetValueOrDefault(field.Name);
            // Empty takes an optional secret away; not to give it keeps it.
            if (field.IsSecret && value is null) value = kept.GetValueOrDefault(field.Name);
            if (string.IsNullOrWhiteSpace(value)) value = field.Default;
            if (value is null && field.IsRequired) throw new DomainException($"{field.Label} is required.", field.Name);
            if (value is not null) (field.IsSecret ? secrets : options)[field.Name] = field.Clean(value);
        }
        if (allowPrivate) options[ChannelSettings.AllowPrivateOption] = "true";
        return (options, secrets);
    }
}
