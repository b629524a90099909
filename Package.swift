// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "atomsync",
  platforms: [.macOS(.v15), .iOS(.v18), .tvOS(.v18), .watchOS(.v11), .visionOS(.v2)],
  products: [
    .library(name: "Transit", targets: ["Transit"]),
    .library(name: "AtomsyncCore", targets: ["AtomsyncCore"]),
    // Static, because `swift build --product` would otherwise build the whole package.
    .library(name: "Atomsync", type: .static, targets: ["Atomsync"]),
    .library(name: "AtomsyncEncryption", targets: ["AtomsyncEncryption"]),
    .library(name: "AtomsyncStorageSupport", targets: ["AtomsyncStorageSupport"]),
    .library(name: "AtomsyncSQLite", targets: ["AtomsyncSQLite"]),
    .library(name: "AtomsyncLMDB", targets: ["AtomsyncLMDB"]),
    .library(name: "AtomsyncPostgres", targets: ["AtomsyncPostgres"]),
    .library(name: "AtomsyncHTTPClient", targets: ["AtomsyncHTTPClient"]),
    .library(name: "AtomsyncHTTPServer", targets: ["AtomsyncHTTPServer"]),
    .library(name: "AtomsyncHummingbird", targets: ["AtomsyncHummingbird"]),
    .library(name: "AtomsyncJWT", targets: ["AtomsyncJWT"]),
    .library(name: "AtomsyncOperations", targets: ["AtomsyncOperations"]),
    .library(name: "AtomsyncSettings", targets: ["AtomsyncSettings"]),
    .library(name: "AtomsyncKit", targets: ["AtomsyncKit"]),
    .library(name: "AtomsyncTesting", targets: ["AtomsyncTesting"]),
    .executable(name: "atomsync-server", targets: ["AtomsyncServer"]),
    .executable(name: "atomsync", targets: ["AtomsyncShell"]),
    .plugin(name: "ServePlugin", targets: ["ServePlugin"]),
    .plugin(name: "NewStoragePlugin", targets: ["NewStoragePlugin"]),
  ],
  traits: [
    .trait(
      name: "Postgres", description: "atomsync-server can keep documents in PostgreSQL; needs libpq-dev.")
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
    .package(url: "https://github.com/apple/swift-crypto", "3.12.3"..<"5.0.0"),
    .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.0"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.9.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.31.0"),
    .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.0"),
  ],
  targets: [
    // The format. Knows nothing of syncing.
    .target(name: "Transit"),

    // The seams: what a storage, a transport or a codec is written against.
    .target(name: "AtomsyncCore", dependencies: ["Transit"]),

    // The sync engine: the replica and the authority, their rows, what became of edits. Knows no facade.
    .target(
      name: "AtomsyncEngine",
      dependencies: [
        "AtomsyncCore",
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "HashTreeCollections", package: "swift-collections"),
        .product(name: "Logging", package: "swift-log"),
      ]),

    // The facade: SyncedAtom, documents, observation, client, loopback.
    .target(name: "Atomsync", dependencies: ["AtomsyncEngine"]),

    // End-to-end encryption. A module of its own, because it brings a library of cryptography.
    .target(
      name: "AtomsyncEncryption",
      dependencies: [
        "AtomsyncCore",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "_CryptoExtras", package: "swift-crypto"),
      ]),

    // Storages.
    .systemLibrary(
      name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite"])]),
    .systemLibrary(
      name: "CLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"]), .brew(["lmdb"])]),
    .systemLibrary(
      name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"]), .brew(["libpq"])]),
    // Compression. AsyncHTTPClient needs it as well.
    .systemLibrary(
      name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    // How glibc manages memory.
    .systemLibrary(name: "CMalloc"),
    // What those need who write a storage: threads for calls that block, locks on files.
    .target(name: "AtomsyncStorageSupport", dependencies: ["AtomsyncCore"]),
    .target(name: "AtomsyncSQLite", dependencies: ["AtomsyncStorageSupport", "CSQLite"]),
    .target(name: "AtomsyncLMDB", dependencies: ["AtomsyncStorageSupport", "CLMDB"]),
    .target(name: "AtomsyncPostgres", dependencies: ["AtomsyncStorageSupport", "CPostgres"]),

    // The two halves of the wire.
    .target(
      name: "AtomsyncHTTPClient",
      dependencies: [
        "AtomsyncCore",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTPCompression", package: "swift-nio-extras"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ]),
    .target(
      name: "AtomsyncHTTPServer",
      dependencies: [
        "AtomsyncEngine", "CZlib",
        .product(name: "CoreMetrics", package: "swift-metrics"),
        .product(name: "Tracing", package: "swift-distributed-tracing"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
        .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
        .product(name: "NIOHTTPTypesHTTP2", package: "swift-nio-extras"),
        .product(name: "NIOHTTP2", package: "swift-nio-http2"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "NIOTLS", package: "swift-nio"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ]),

    // A page that shows what a server holds, and a replica for browsers, in JavaScript.
    .target(
      name: "AtomsyncInspector",
      dependencies: [
        "AtomsyncHTTPServer",
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "NIOCore", package: "swift-nio"),
      ],
      resources: [.embedInCode("Web")]),

    // The server's endpoint in an application's own Hummingbird router.
    .target(
      name: "AtomsyncHummingbird",
      dependencies: [
        "AtomsyncHTTPServer",
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ]),

    // What is done to a store as a whole: dump, restore, copy, statistics.
    .target(
      name: "AtomsyncOperations",
      dependencies: ["AtomsyncEngine", "Transit", .product(name: "Crypto", package: "swift-crypto")]),

    // What swift-metrics is told, as Prometheus reads it.
    .target(
      name: "AtomsyncPrometheus",
      dependencies: ["AtomsyncCore", .product(name: "CoreMetrics", package: "swift-metrics")]),

    // Users by JSON Web Tokens, for a server.
    .target(
      name: "AtomsyncJWT",
      dependencies: [
        "AtomsyncHTTPServer",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "JWTKit", package: "jwt-kit"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ]),

    // Settings from the environment and from files.
    .target(
      name: "AtomsyncSettings",
      dependencies: [
        "AtomsyncEngine", .product(name: "Configuration", package: "swift-configuration"),
      ]),

    // The usual pair for an app: SQLite here, HTTP to the server.
    .target(name: "AtomsyncKit", dependencies: ["Atomsync", "AtomsyncSQLite", "AtomsyncHTTPClient"]),

    // Conformance kits, faults and the simulator.
    .target(
      name: "AtomsyncTesting",
      dependencies: [
        "Atomsync", "AtomsyncEncryption",
        .product(name: "HashTreeCollections", package: "swift-collections"),
        .product(name: "Logging", package: "swift-log"),
      ]),

    // Programs.
    .executableTarget(
      name: "AtomsyncServer",
      dependencies: [
        "Atomsync", "AtomsyncHTTPServer", "AtomsyncInspector", "AtomsyncJWT", "AtomsyncOperations",
        "AtomsyncSQLite", "AtomsyncLMDB", "AtomsyncPrometheus", "AtomsyncSettings",
        .target(name: "AtomsyncPostgres", condition: .when(traits: ["Postgres"])),
        .product(name: "CoreMetrics", package: "swift-metrics"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "NIOCore", package: "swift-nio"),
        .target(name: "CMalloc", condition: .when(platforms: [.linux])),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ]),
    .executableTarget(
      name: "AtomsyncShell",
      dependencies: [
        "Atomsync", "AtomsyncEncryption", "AtomsyncSQLite", "AtomsyncLMDB", "AtomsyncHTTPClient",
        "AtomsyncSettings",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ]),
    .plugin(
      name: "ServePlugin",
      capability: .command(
        intent: .custom(verb: "atomsync-server", description: "Build and run atomsync-server."),
        permissions: [
          .allowNetworkConnections(scope: .all(), reason: "The server listens for replicas.")
        ])),
    .plugin(
      name: "NewStoragePlugin",
      capability: .command(
        intent: .custom(
          verb: "atomsync-new-storage", description: "Add a storage of your own, with its test."),
        permissions: [
          .writeToPackageDirectory(reason: "The storage and its test are written into this package.")
        ])),

    // Examples, which are built and tested with the rest.
    .target(
      name: "FolderStorage", dependencies: ["AtomsyncStorageSupport"], path: "Docs/Examples/FolderStorage"),

    .executableTarget(name: "TodoList", dependencies: ["AtomsyncKit"], path: "Docs/Examples/TodoList"),
    .executableTarget(
      name: "CountingService",
      dependencies: [
        "Atomsync", "AtomsyncHTTPServer", "AtomsyncSQLite",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ],
      path: "Docs/Examples/CountingService"),

    // Tests.
    .testTarget(name: "TransitTests", dependencies: ["Transit"]),
    .testTarget(name: "AtomsyncCoreTests", dependencies: ["AtomsyncCore", "AtomsyncTesting", "Transit"]),
    .testTarget(
      name: "AtomsyncTests",
      dependencies: [
        "Atomsync", "AtomsyncStorageSupport", "AtomsyncTesting",
        .product(name: "HashTreeCollections", package: "swift-collections"),
      ]),
    .testTarget(
      name: "AtomsyncEncryptionTests",
      dependencies: [
        "Atomsync", "AtomsyncCore", "AtomsyncEncryption", "AtomsyncEngine", "AtomsyncLMDB", "AtomsyncSQLite",
        "AtomsyncTesting", "Transit",
      ],
      exclude: ["vectors.py"],
      resources: [.embedInCode("vectors.json")]),
    .testTarget(
      name: "AtomsyncSimulationTests",
      dependencies: ["Atomsync", "AtomsyncCore", "AtomsyncTesting", "Transit"]),
    .executableTarget(name: "AtomsyncSoak", dependencies: ["AtomsyncTesting"], path: "Tests/AtomsyncSoak"),
    .executableTarget(
      name: "AtomsyncStress",
      dependencies: [
        "Atomsync", "AtomsyncHTTPClient", "AtomsyncLMDB", "AtomsyncSQLite", "AtomsyncTesting",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Tests/AtomsyncStress"),
    .testTarget(
      name: "AtomsyncStorageTests",
      dependencies: [
        "AtomsyncEngine", "AtomsyncOperations", "AtomsyncStorageSupport", "AtomsyncTesting", "AtomsyncSQLite",
        "AtomsyncLMDB", "FolderStorage", "Transit",
      ]),
    .testTarget(
      name: "AtomsyncPostgresTests",
      dependencies: [
        "AtomsyncCore", "AtomsyncPostgres", "AtomsyncTesting",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ]),
    .testTarget(
      name: "AtomsyncHTTPTests",
      dependencies: [
        "AtomsyncEncryption", "AtomsyncKit", "AtomsyncHTTPServer", "AtomsyncHummingbird", "AtomsyncInspector",
        "AtomsyncJWT",
        "AtomsyncLMDB", "AtomsyncPrometheus", "AtomsyncSettings", "AtomsyncTesting",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "CoreMetrics", package: "swift-metrics"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
        .product(name: "Tracing", package: "swift-distributed-tracing"),
        .product(name: "JWTKit", package: "jwt-kit"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)

// One place for the language features that every target is written against.
for target in package.targets where target.type != .system && target.type != .plugin {
  target.swiftSettings = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
  ]
  // Where a request's task is to stay on its event loop.
  if target.name == "AtomsyncHTTPServer" {
    target.swiftSettings?.append(.enableUpcomingFeature("NonisolatedNonsendingByDefault"))
  }
  // Not where C headers are read: which module the compiler takes the members of `stat` to come from depends on what
  // else was imported.
  if !["AtomsyncStorageSupport", "AtomsyncSQLite", "AtomsyncLMDB"].contains(target.name) {
    target.swiftSettings?.append(.enableUpcomingFeature("MemberImportVisibility"))
  }
}
