namespace Portal.Infrastructure.Backups;

/// <summary>What is asked of a database's catalogues. Things that an extension brought come back with the extension, so they are left out.</summary>
static class CatalogQueries
{
    const string OurSchemas = "n.nspname <> 'information_schema' and n.nspname !~ '^pg_'";

    static string NotOfExtension(string catalog, string oid) =>
        $"not exists (select from pg_depend d where d.classid = 'pg_catalog.{catalog}'::regclass and d.objid = {oid} and d.deptype = 'e')";

    /// <summary>Schema, name, kind, constraints, indexes. An index that is not valid is left out by pg_dump as well; marks of NOT NULL are constraints in some versions only.</summary>
    public static readonly string Tables = $"""
        select n.nspname, c.relname, c.relkind::text,
               (select count(*)::int from pg_constraint k where k.conrelid = c.oid and k.contype in ('p', 'u', 'f', 'c', 'x')),
               (select count(*)::int from pg_index i where i.indrelid = c.oid and i.indisready and (i.indisvalid or c.relkind = 'p'))
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p') and c.relpersistence <> 't' and {OurSchemas} and {NotOfExtension("pg_class", "c.oid")}
        order by n.nspname, c.relname
        """;

    /// <summary>Schema, name, step.</summary>
    public static readonly string Sequences = $"""
        select n.nspname, c.relname, s.seqincrement
        from pg_sequence s join pg_class c on c.oid = s.seqrelid join pg_namespace n on n.oid = c.relnamespace
        where c.relpersistence <> 't' and {OurSchemas} and {NotOfExtension("pg_class", "c.oid")}
        order by n.nspname, c.relname
        """;

    const string Given = "left join pg_roles r on r.oid = a.grantee where a.grantee <> {0} and (a.grantee = 0 or r.rolname is not null)";

    static string Grantees(string owner) => Given.Replace("{0}", owner, StringComparison.Ordinal);

    const string Whom = "coalesce(r.rolname, 'public')";
    const string To = "case when a.grantee = 0 then 'public' else quote_ident(r.rolname) end, case when a.is_grantable then ' with grant option' else '' end";

    /// <summary>Role, statement: on relations, schemas and routines. Of owners nothing: who restores is the owner of all.</summary>
    public static readonly string Grants = $"""
        select {Whom}, format('grant %s on %s %I.%I to %s%s', lower(a.privilege_type), case c.relkind when 'S' then 'sequence' else 'table' end, n.nspname, c.relname, {To}) as statement
        from pg_class c join pg_namespace n on n.oid = c.relnamespace cross join lateral aclexplode(c.relacl) a {Grantees("c.relowner")}
          and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and c.relpersistence <> 't' and {OurSchemas} and {NotOfExtension("pg_class", "c.oid")}
        union
        select {Whom}, format('grant %s on schema %I to %s%s', lower(a.privilege_type), n.nspname, {To})
        from pg_namespace n cross join lateral aclexplode(n.nspacl) a {Grantees("n.nspowner")} and {OurSchemas} and {NotOfExtension("pg_namespace", "n.oid")}
        union
        select {Whom}, format('grant execute on routine %s to %s%s', p.oid::regprocedure, {To})
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace cross join lateral aclexplode(p.proacl) a {Grantees("p.proowner")} and {OurSchemas} and {NotOfExtension("pg_proc", "p.oid")}
        order by statement
        """;

    /// <summary>Names of owners and grantees; those that every server has are left out.</summary>
    public static readonly string Roles = $"""
        select r.rolname from pg_roles r where r.rolname !~ '^pg_' and r.oid in (
          select c.relowner from pg_class c join pg_namespace n on n.oid = c.relnamespace where {OurSchemas}
          union select n.nspowner from pg_namespace n where {OurSchemas}
          union select p.proowner from pg_proc p join pg_namespace n on n.oid = p.pronamespace where {OurSchemas}
          union select a.grantee from pg_class c join pg_namespace n on n.oid = c.relnamespace cross join lateral aclexplode(c.relacl) a where {OurSchemas}
          union select a.grantee from pg_namespace n cross join lateral aclexplode(n.nspacl) a where {OurSchemas}
          union select a.grantee from pg_proc p join pg_namespace n on n.oid = p.pronamespace cross join lateral aclexplode(p.proacl) a where {OurSchemas})
        order by r.rolname
        """;
}
