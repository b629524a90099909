import Foundation
import PackagePlugin

/// `swift package atomsync-new-storage NAME`: adds a storage of your own to the package, with the test that holds it to
/// its contract. It begins as a storage in memory, which passes.
@main
struct NewStoragePlugin: CommandPlugin {
  func performCommand(context: PluginContext, arguments: [String]) throws {
    var extractor = ArgumentExtractor(arguments)
    _ = extractor.extractOption(named: "target")  // which some editors add
    let names = extractor.remainingArguments
    guard names.count == 1, let name = names.first, isTypeName(name) else {
      return Diagnostics.error(
        "Name the storage, in one word that can be a Swift type: swift package atomsync-new-storage Redis")
    }
    let root = context.package.directoryURL
    let source = root.appending(path: "Sources/\(name)Storage/\(name)Storage.swift")
    let test = root.appending(path: "Tests/\(name)StorageTests/\(name)StorageTests.swift")
    for file in [source, test] where FileManager.default.fileExists(atPath: file.path) {
      return Diagnostics.error("\(file.path) is there already. Nothing was changed.")
    }
    guard let dependencies = Dependencies(context.package) else {
      return Diagnostics.error("The package does not depend on Atomsync.")
    }
    try declare(name, dependencies, in: root.appending(path: "Package.swift"))
    try write(StorageTemplate.source(name), to: source)
    try write(StorageTemplate.test(name), to: test)
    print(
      """
      Sources/\(name)Storage and Tests/\(name)StorageTests are there, and Package.swift declares them at its end.
      Next: swift test --filter \(name)StorageTests
      """)
  }

  /// Letters and digits of ASCII, so that it can be a type, a folder and a target. With small letters it names a
  /// provider: what is Swift's or Atomsync's own word cannot be.
  private func isTypeName(_ name: String) -> Bool {
    !["default", "in", "is", "as", "do", "for", "if", "memory", "self", "init"].contains(name.lowercased())
      && name.utf8.first.map { (65...90).contains($0) } == true
      && name.utf8.allSatisfy { (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) }
  }

  private func write(_ text: String, to file: URL) throws {
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file, options: .atomic)
  }

  /// Behind everything else, where it is right however the manifest is written.
  private func declare(_ name: String, _ dependencies: Dependencies, in manifest: URL) throws {
    let text = try String(contentsOf: manifest, encoding: .utf8)
    try write(text + StorageTemplate.declaration(name, dependencies), to: manifest)
  }
}

/// What the new targets depend on, as the manifest says it.
struct Dependencies {
  /// The name of the package that Atomsync comes from; `nil` in Atomsync itself.
  private let package: String?

  /// `nil` when the package does not depend on Atomsync.
  init?(_ package: Package) {
    if package.targets.contains(where: { $0.name == "AtomsyncCore" }) {
      self.package = nil
      return
    }
    let atomsync = package.dependencies.map(\.package).first { package in
      package.products.contains { $0.name == "AtomsyncCore" }
    }
    guard let atomsync else { return nil }
    self.package = atomsync.id
  }

  func product(_ name: String) -> String {
    package.map { ".product(name: \"\(name)\", package: \"\($0)\")" } ?? "\"\(name)\""
  }
}
