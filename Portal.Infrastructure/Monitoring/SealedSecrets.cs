using System.Text.Json;
using Portal.Domain.Monitoring;
using Portal.Infrastructure.Security;

namespace Portal.Infrastructure.Monitoring;

/// <summary>Secrets of monitors on their way into the database and out again: one sealed document, bound to its row.</summary>
public sealed class SealedSecrets(SecretBox box)
{
    public byte[]? Seal(IReadOnlyDictionary<string, string> secrets, MonitorId monitor) =>
        secrets.Count == 0 ? null : box.Seal(JsonSerializer.Serialize(secrets, JsonSerializerOptions.Default), monitor.Value);

    /// <exception cref="System.Security.Cryptography.CryptographicException">Sealed by another key, or for another row.</exception>
    public IReadOnlyDictionary<string, string> Open(Domain.Monitoring.Monitor monitor) => monitor.SealedSecrets is not { } stored ? MonitorSecrets.None
        : new Dictionary<string, string>(JsonSerializer.Deserialize<Dictionary<string, string>>(box.Open(stored, monitor.Id.Value), JsonSerializerOptions.Default)!, StringComparer.OrdinalIgnoreCase);
}
