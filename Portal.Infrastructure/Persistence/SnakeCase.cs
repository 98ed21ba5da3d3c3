using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Portal.Infrastructure.Persistence;

/// <summary>PostgreSQL folds unquoted names to lower case: tables and columns are named so that SQL by hand needs no quotes.</summary>
static class SnakeCase
{
    public static void Apply(ModelBuilder builder)
    {
        foreach (var entity in builder.Model.GetEntityTypes())
        {
            if (entity.GetTableName() is not { } table) continue;
            entity.SetTableName(Of(table));
            foreach (var property in entity.GetProperties())
                if (property is { IsConcurrencyToken: true, ValueGenerated: ValueGenerated.OnAddOrUpdate }) property.SetColumnName("xmin");
                else if (property.GetColumnName() == property.Name) property.SetColumnName(Reserved.GetValueOrDefault((property.Name, property.ClrType == typeof(string))) ?? Of(property.Name));
            foreach (var key in entity.GetKeys()) key.SetName(Of(key.GetName()!));
            foreach (var key in entity.GetForeignKeys()) key.SetConstraintName(Of(key.GetConstraintName()!));
            foreach (var index in entity.GetIndexes()) index.SetDatabaseName(Of(index.GetDatabaseName()!));
        }
    }

    // FROM and TO are reserved words of SQL.
    static readonly Dictionary<(string Name, bool IsText), string> Reserved = new()
    {
        [("From", false)] = "started_at",
        [("To", false)] = "ended_at",
        [("From", true)] = "address",
    };

    static string Of(string name)
    {
        var text = new StringBuilder(name.Length + 8);
        for (var i = 0; i < name.Length; i++)
        {
            if (char.IsUpper(name[i]) && i > 0 && name[i - 1] != '_' && !char.IsUpper(name[i - 1])) text.Append('_');
            text.Append(char.ToLowerInvariant(name[i]));
        }
        return text.ToString();
    }
}
