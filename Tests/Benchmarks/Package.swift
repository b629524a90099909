// swift-tools-version: 6.1
import PackageDescription

// Benchmarks live in a package of their own, so that the library's users never resolve or build them.
let package = Package(
  name: "atomsync-benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "atomsync", path: "../.."),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    .executableTarget(
      name: "transit-benchmarks",
      dependencies: [.product(name: "Transit", package: "atomsync")],
      path: "TransitBenchmarks"),

    // What the two below share: statistics, tables, stores and sample documents.
    .target(
      name: "BenchmarkSupport",
      dependencies: [
        .product(name: "Atomsync", package: "atomsync"),
        .product(name: "AtomsyncCore", package: "atomsync"),
        .product(name: "AtomsyncSQLite", package: "atomsync"),
        .product(name: "AtomsyncStorageSupport", package: "atomsync"),
        .product(name: "AtomsyncLMDB", package: "atomsync"),
        .product(name: "AtomsyncPostgres", package: "atomsync"),
        .product(name: "Transit", package: "atomsync"),
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "BenchmarkSupport"),
    .executableTarget(
      name: "atomsync-benchmarks",
      dependencies: [
        "BenchmarkSupport",
        .product(name: "Atomsync", package: "atomsync"),
        .product(name: "AtomsyncCore", package: "atomsync"),
        .product(name: "AtomsyncEncryption", package: "atomsync"),
        .product(name: "Transit", package: "atomsync"),
      ],
      path: "AtomsyncBenchmarks"),
    .executableTarget(
      name: "atomsync-http-benchmarks",
      dependencies: [
        "BenchmarkSupport",
        .product(name: "Atomsync", package: "atomsync"),
        .product(name: "AtomsyncHTTPClient", package: "atomsync"),
        .product(name: "AtomsyncHTTPServer", package: "atomsync"),
        .product(name: "AtomsyncCore", package: "atomsync"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      path: "AtomsyncHTTPBenchmarks"),
  ],
  swiftLanguageModes: [.v6]
)
