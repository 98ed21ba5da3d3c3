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

    /// <summary>
    /// Role, statement: on relations, their columns, schemas and routines. Of owners nothing: they come with <see cref="Owners"/>. A routine, and the schema public, begin with rights of everybody:
    /// where those were taken away, they must be taken again.
    /// </summary>
    public static readonly string Grants = $"""
        select {Whom}, format('grant %s on %s %I.%I to %s%s', lower(a.privilege_type), case c.relkind when 'S' then 'sequence' else 'table' end, n.nspname, c.relname, {To}) as statement
        from pg_class c join pg_namespace n on n.oid = c.relnamespace cross join lateral aclexplode(c.relacl) a {Grantees("c.relowner")}
          and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and c.relpersistence <> 't' and {OurSchemas} and {NotOfExtension("pg_class", "c.oid")}
        union
        select {Whom}, format('grant %s (%I) on table %I.%I to %s%s', lower(a.privilege_type), t.attname, n.nspname, c.relname, {To})
        from pg_attribute t join pg_class c on c.oid = t.attrelid join pg_namespace n on n.oid = c.relnamespace cross join lateral aclexplode(t.attacl) a {Grantees("c.relowner")}
          and t.attnum > 0 and not t.attisdropped and c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relpersistence <> 't' and {OurSchemas} and {NotOfExtension("pg_class", "c.oid")}
        union
        select {Whom}, format('grant %s on schema %I to %s%s', lower(a.privilege_type), n.nspname, {To})
        from pg_namespace n cross join lateral aclexplode(n.nspacl) a {Grantees("n.nspowner")} and {OurSchemas} and {NotOfExtension("pg_namespace", "n.oid")}
        union
        select {Whom}, format('grant execute on routine %s to %s%s', p.oid::regprocedure, {To})
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace cross join lateral aclexplode(p.proacl) a {Grantees("p.proowner")} and {OurSchemas} and {NotOfExtension("pg_proc", "p.oid")}
        union
        select 'public', format('revoke execute on routine %s from public', p.oid::regprocedure)
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where p.proacl is not null and not exists (select from aclexplode(p.proacl) a where a.grantee = 0) and {OurSchemas} and {NotOfExtension("pg_proc", "p.oid")}
        union
        select 'public', 'revoke all on schema public from public'
        from pg_namespace n where n.nspname = 'public' and n.nspacl is not null and not exists (select from aclexplode(n.nspacl) a where a.grantee = 0)
        order by statement
        """;

    const string Owner = "join pg_roles r on r.oid = {0} where r.rolname !~ '^pg_'";

    static string OwnedBy(string owner) => Owner.Replace("{0}", owner, StringComparison.Ordinal);

    /// <summary>Role, schema, statement: schemas last, so that whoever restores may lend rights in them until then. A sequence of a column follows its table.</summary>
    public static readonly string Owners = $"""
        select o.role, o.schema, o.statement from (
          select r.rolname as role, n.nspname as schema, format('alter %s %I.%I owner to %I', case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' when 'f' then 'foreign table' else 'table' end, n.nspname, c.relname, r.rolname) as statement
          from pg_class c join pg_namespace n on n.oid = c.relnamespace {OwnedBy("c.relowner")}
            and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and c.relpersistence <> 't' and {OurSchemas} and {NotOfExtension("pg_class", "c.oid")}
            and not (c.relkind = 'S' and exists (select from pg_depend d where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjsubid > 0 and d.deptype in ('a', 'i')))
          union all
          select r.rolname, n.nspname, format('alter routine %s owner to %I', p.oid::regprocedure, r.rolname)
          from pg_proc p join pg_namespace n on n.oid = p.pronamespace {OwnedBy("p.proowner")} and {OurSchemas} and {NotOfExtension("pg_proc", "p.oid")}
          union all
          select r.rolname, n.nspname, format('alter %s %I.%I owner to %I', case t.typtype when 'd' then 'domain' else 'type' end, n.nspname, t.typname, r.rolname)
          from pg_type t join pg_namespace n on n.oid = t.typnamespace left join pg_class c on c.oid = t.typrelid {OwnedBy("t.typowner")}
            and (t.typtype in ('d', 'e', 'r') or (t.typtype = 'c' and c.relkind = 'c')) and {OurSchemas} and {NotOfExtension("pg_type", "t.oid")}
          union all
          select r.rolname, null, format('alter schema %I owner to %I', n.nspname, r.rolname)
          from pg_namespace n {OwnedBy("n.nspowner")} and {OurSchemas} and {NotOfExtension("pg_namespace", "n.oid")}) o
        order by o.schema is null, o.statement
        """;

    /// <summary>Role or null, name, value; no value of what programs keep in settings of their own names, which may be secrets.</summary>
    public const string Settings = """
        select r.rolname, s.name, case when position('.' in s.name) = 0 then s.value end
        from pg_db_role_setting d left join pg_roles r on r.oid = d.setrole
          cross join lateral (select split_part(entry, '=', 1) as name, substr(entry, position('=' in entry) + 1) as value from unnest(d.setconfig) entry) s
        where d.setdatabase = (select oid from pg_database where datname = current_database()) and (d.setrole = 0 or r.rolname is not null)
        order by r.rolname nulls first, s.name
        """;

    /// <summary>Names of owners and grantees; those that every server has are left out.</summary>
    public static readonly string Roles = $"""
        select r.rolname from pg_roles r where r.rolname !~ '^pg_' and r.oid in (
          select c.relowner from pg_class c join pg_namespace n on n.oid = c.relnamespace where {OurSchemas}
          union select n.nspowner from pg_namespace n where {OurSchemas}
          union select p.proowner from pg_proc p join pg_namespace n on n.oid = p.pronamespace where {OurSchemas}
          union select t.typowner from pg_type t join pg_namespace n on n.oid = t.typnamespace where {OurSchemas}
          union select d.setrole from pg_db_role_setting d where d.setdatabase = (select oid from pg_database where datname = current_database())
          union select a.grantee from pg_attribute t join pg_class c on c.oid = t.attrelid join pg_namespace n on n.oid = c.relnamespace cross join lateral aclexplode(t.attacl) a where {OurSchemas}
          union select a.grantee from pg_class c join pg_namespace n on n.oid = c.relnamespace cross join lateral aclexplode(c.relacl) a where {OurSchemas}
          union select a.grantee from pg_namespace n cross join lateral aclexplode(n.nspacl) a where {OurSchemas}
          union select a.grantee from pg_proc p join pg_namespace n on n.oid = p.pronamespace cross join lateral aclexplode(p.proacl) a where {OurSchemas})
        order by r.rolname
        """;
}
