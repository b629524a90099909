// swift-tools-version: 6.1
import PackageDescription

// Benchmarks live in a package of their own, so that the library's users never resolve or build them.
let package = Package(
  name: "atomsync-benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "atomsync", path: "../..")],
  targets: [
    .executableTarget(
      name: "transit-benchmarks",
      dependencies: [.product(name: "Transit", package: "atomsync")],
      path: "TransitBenchmarks")
  ],
  swiftLanguageModes: [.v6]
)
