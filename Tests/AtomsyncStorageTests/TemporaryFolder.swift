import Foundation

/// A folder for one test, gone with it.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "atomsync-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    self.path = url.path(percentEncoded: false)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

  /// The names in the folder or in one of its folders, sorted.
  func names(_ name: String = "") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: self(name)).sorted()
  }

  func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: self(name))) }

  func size(_ name: String) throws -> Int {
    try URL(filePath: self(name)).resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
  }

  func write(_ name: String, _ data: Data) throws { try data.write(to: URL(filePath: self(name))) }
}

extension TemporaryFolder {
  /// Every file with what is in it, to see that nothing was touched.
  func contents() throws -> [String: Data] {
    var contents: [String: Data] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: path) {
      // Folders have no data, and count by their names.
      contents[name] = (try? bytes(name)) ?? Data()
    }
    return contents
  }
}
