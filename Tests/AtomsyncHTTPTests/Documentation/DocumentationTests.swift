import Atomsync
import Foundation
import Testing

/// What the README and the articles show is what an example or a test compiles: this folder, if none does so anyway.
@Suite struct DocumentationTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The pages, by their path from the root.
  static let pages: [String] = {
    let catalogs = files(in: "Sources", endingIn: ".md").filter { $0.contains(".docc/") }
    return ["README.md"] + files(in: "Docs", endingIn: ".md") + catalogs
  }()

  private static func files(in folder: String, endingIn end: String) -> [String] {
    let paths = FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path)
    return (paths?.compactMap { $0 as? String } ?? []).filter { $0.hasSuffix(end) && !$0.contains(".build") }
      .map { "\(folder)/\($0)" }
      .sorted()
  }

  private static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  /// The lines of code, one after the other, without imports and empty lines.
  private static let compiled: String = {
    let sources = files(in: "Tests", endingIn: ".swift") + files(in: "Docs/Examples", endingIn: ".swift")
    return "\n" + sources.compactMap { try? text($0) }.flatMap(lines).joined(separator: "\n") + "\n"
  }()

  private static func lines(_ code: String) -> [String] {
    code.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty && $0.prefixMatch(of: #/((public|internal) )?import /#) == nil }
  }

  @Test(arguments: pages) func itsSwiftIsCompiled(page: String) throws {
    for block in try Self.text(page).components(separatedBy: "```swift\n").dropFirst() {
      // What is left out between two parts is behind an empty line.
      for part in block.components(separatedBy: "```")[0].components(separatedBy: "\n\n") {
        let code = Self.lines(part).joined(separator: "\n")
        #expect(
          code.isEmpty || Self.compiled.contains("\n\(code)\n"),
          "\(page) shows, and nothing compiles:\n\(part)")
      }
    }
  }

  /// A page that is not there, or was renamed.
  @Test(arguments: pages) func itsLinksLeadSomewhere(page: String) throws {
    let folder = Self.root.appendingPathComponent(page).deletingLastPathComponent()
    for match in try Self.text(page).matches(of: #/\]\(([^)#:]+)(#[^)]*)?\)/#) {
      let target = folder.appendingPathComponent(String(match.1)).path
      #expect(FileManager.default.fileExists(atPath: target), "\(page) links to \(match.1)")
    }
    for match in try Self.text(page).matches(of: #/<doc:([A-Za-z]+)>/#) {
      let article = folder.appendingPathComponent("\(match.1).md").path
      #expect(FileManager.default.fileExists(atPath: article), "\(page) links to \(match.1)")
    }
  }
}
