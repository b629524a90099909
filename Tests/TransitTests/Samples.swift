import Transit

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Data from outside of the package, used where it is present.
enum Samples {
  /// The folder of the package, from the place of this file.
  static let packageRoot = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private static func folder(_ variable: String, _ fallback: String) -> URL {
    if let path = ProcessInfo.processInfo.environment[variable] { return URL(filePath: path) }
    return packageRoot.appending(path: fallback)
  }

  private static func exists(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: url.path) }

  /// Where the exemplars of Transit are: a folder with `examples/0.8/simple`.
  static let exemplars = folder("ATOMSYNC_TRANSIT_EXEMPLARS", "../shared/transit-exemplars")
  static let hasExemplars = exists(exemplars.appending(path: "examples/0.8/simple"))

  /// Where the corpus is: `corpus.json`, `corpus.verbose.json` and `corpus.mp`.
  static let corpus = folder("ATOMSYNC_TRANSIT_CORPUS", "../shared/transit-corpus")
  static let hasCorpus = exists(corpus.appending(path: "corpus.json"))

  static func bytes(_ url: URL) throws -> [UInt8] { [UInt8](try Data(contentsOf: url)) }

  /// The names of all simple exemplars.
  static let exemplarNames: [String] = {
    guard hasExemplars else { return [] }
    let folder = exemplars.appending(path: "examples/0.8/simple")
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return files.filter { $0.hasSuffix(".mp") }.map { String($0.dropLast(3)) }.sorted()
  }()

  static func exemplar(_ name: String, _ suffix: String) throws -> [UInt8] {
    try bytes(exemplars.appending(path: "examples/0.8/simple/\(name).\(suffix)"))
  }
}

extension TransitFormat {
  /// The ending of a file in this format.
  var suffix: String {
    switch self {
    case .json: "json"
    case .verboseJSON: "verbose.json"
    case .msgpack: "mp"
    }
  }
}

/// The bytes of a text.
func utf8(_ text: String) -> [UInt8] { Array(text.utf8) }

/// The text of bytes.
func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
