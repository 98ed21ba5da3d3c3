// One browser and few processors: journeys run one after the other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]
[assembly: TestFramework("Portal.E2E.Support.TellingFramework", "Portal.E2E")]
