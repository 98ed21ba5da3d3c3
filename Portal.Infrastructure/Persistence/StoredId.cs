using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using Portal.Domain.Shared;

namespace Portal.Infrastructure.Persistence;

/// <summary>Every <see cref="IId{TSelf}"/> of the domain is a uuid column.</summary>
static class StoredId
{
    public static void Register(ModelConfigurationBuilder builder)
    {
        foreach (var type in typeof(IId<>).Assembly.GetTypes().Where(IsId))
            builder.Properties(type).HaveConversion(typeof(Converter<>).MakeGenericType(type));
    }

    static bool IsId(Type type) => type.IsValueType &&
        type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IId<>));

    sealed class Converter<T>() : ValueConverter<T, Guid>(id => id.Value, value => Make<T>(value)) where T : struct, IId<T>;

    static T Make<T>(Guid value) where T : struct, IId<T> => T.From(value);
}
