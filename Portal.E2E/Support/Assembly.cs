// Two at a time: those that break a portal of their own mostly wait, and leave the processors to the others.
[assembly: CollectionBehavior(MaxParallelThreads = 2)]
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]
[assembly: TestFramework("Portal.E2E.Support.TellingFramework", "Portal.E2E")]
