using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.CompilerServices;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Tests.HouseRules;

public class AsyncRules
{
    static readonly Assembly[] Product = [typeof(Interval).Assembly, typeof(Database).Assembly, typeof(Program).Assembly];

    [Fact]
    public void Nothing_is_async_void()
    {
        Rule.Accepts<Assembly[]>(AsyncVoid, [Fixture.Load("class A { async Task M() => await Task.Yield(); }")]);
        Rule.Holds<Assembly[]>(AsyncVoid, Product,
            [Fixture.Load("class A { async void M() => await Task.Yield(); }")],
            [Fixture.Load("class A { Action M() => async () => await Task.Yield(); }")]);
    }

    [Fact]
    public void Nothing_blocks_on_a_task()
    {
        Rule.Accepts(Blocks, Fixture.Image("class A { async Task<int> M(Task<int> t) => await t; }"));
        Assert.All(Product, assembly => Rule.Holds(Blocks, File.ReadAllBytes(assembly.Location),
            Fixture.Image("class A { int M(Task<int> t) => t.Result; }"),
            Fixture.Image("class A { void M(Task t) => t.Wait(); }"),
            Fixture.Image("class A { void M(Task t) => Task.WaitAll(t); }")));
        Rule.Holds(AwaitsByHand, Repository.Product, Rule.Plant("Portal/X.cs", "class A { void M(Task t) => t.GetAwaiter().GetResult(); }"));
    }

    [Fact]
    public void No_catch_swallows()
    {
        Rule.Accepts(Swallows, Rule.Plant("Portal/X.cs", "class A { void M() { try { F(); } catch (IOException) { return; } } }"));
        Rule.Holds(Swallows, Repository.Product,
            Rule.Plant("Portal/X.cs", "class A { void M() { try { F(); } catch { } } }"),
            Rule.Plant("Portal/X.cs", "class A { void M() { try { F(); } catch (Exception) { } } }"),
            Rule.Plant("Portal/X.cs", "class A { int M() { try { return F(); } catch (Exception) { return 0; } } }"));
    }

    static IEnumerable<string> AsyncVoid(Assembly[] assemblies) =>
        from type in assemblies.SelectMany(a => a.GetTypes())
        from method in type.GetMethods(BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
        where method.ReturnType == typeof(void) && method.GetCustomAttribute<AsyncStateMachineAttribute>() is not null
        select $"{type.FullName}.{method.Name} is async void";

    /// <summary>Read from the compiled assembly, so that it also holds for what Razor generates and no other property called Result is meant.</summary>
    static IEnumerable<string> Blocks(byte[] image)
    {
        using var file = new PEReader(new MemoryStream(image));
        var metadata = file.GetMetadataReader();
        foreach (var member in metadata.MemberReferences.Select(metadata.GetMemberReference))
        {
            var name = metadata.GetString(member.Name);
            if (name is not ("get_Result" or "Wait" or "WaitAll" or "WaitAny")) continue;
            var owner = OwnerOf(metadata, member.Parent);
            if (owner.StartsWith("Task", StringComparison.Ordinal) || owner.StartsWith("ValueTask", StringComparison.Ordinal)) yield return $"{metadata.GetString(metadata.GetAssemblyDefinition().Name)} calls {owner}.{name}";
        }
    }

    static string OwnerOf(MetadataReader metadata, EntityHandle parent)
    {
        if (parent.Kind == HandleKind.TypeReference) return metadata.GetString(metadata.GetTypeReference((TypeReferenceHandle)parent).Name);
        if (parent.Kind != HandleKind.TypeSpecification) return "";
        var signature = metadata.GetBlobReader(metadata.GetTypeSpecification((TypeSpecificationHandle)parent).Signature);
        if (signature.ReadSignatureTypeCode() != SignatureTypeCode.GenericTypeInstance) return "";
        signature.ReadByte();
        return OwnerOf(metadata, signature.ReadTypeHandle());
    }

    static IEnumerable<string> AwaitsByHand(IReadOnlyList<Source> sources) =>
        from source in sources
        where source.Text.Replace(" ", "").Contains(".GetAwaiter().GetResult()", StringComparison.Ordinal)
        select $"{source.Path} blocks on an awaiter";

    /// <summary>A catch of everything must say it somewhere, hand it on, or choose by a filter.</summary>
    static IEnumerable<string> Swallows(IReadOnlyList<Source> sources) =>
        from source in sources
        from clause in source.All<CatchClauseSyntax>()
        where clause.Filter is null && clause.Declaration?.Type.ToString() is null or "Exception" or "System.Exception"
        let body = clause.Block.ToString()
        let variable = clause.Declaration?.Identifier.Text
        where !body.Contains("throw", StringComparison.Ordinal) && !body.Contains("Log", StringComparison.Ordinal)
            && (string.IsNullOrEmpty(variable) || !body[1..].Contains(variable, StringComparison.Ordinal))
        select $"{source.At(clause)} swallows every exception";
}
