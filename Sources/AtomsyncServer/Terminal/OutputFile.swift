internal import AtomsyncSettings
internal import Foundation

/// A file that is there once it is whole, and not before: it is written under another name.
final class OutputFile: Sendable {
  private let path: String?
  private let descriptor: Int32

  /// - Parameter path: `nil` for standard output.
  /// - Throws: ``SettingsError`` when there is something at the path, or it cannot be written.
  init(_ path: String?) throws {
    self.path = path
    guard let path else {
      descriptor = STDOUT_FILENO
      return
    }
    if FileManager.default.fileExists(atPath: path) {
      throw SettingsError("There is something at \(path) already. Choose another path.")
    }
    descriptor = open(Self.partial(path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    if descriptor < 0 { throw Self.failure(path) }
  }

  deinit { if path != nil { close(descriptor) } }

  @Sendable func write(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw Self.failure(path ?? "standard output") }
      rest = rest.dropFirst(count)
    }
  }

  /// Makes the file durable, and gives it its name.
  func finish() throws {
    guard let path else { return }
    guard fsync(descriptor) == 0, link(Self.partial(path), path) == 0 else { throw Self.failure(path) }
    unlink(Self.partial(path))
  }

  private static func partial(_ path: String) -> String { path + ".partial" }

  private static func failure(_ path: String) -> SettingsError {
    SettingsError("\(path) cannot be written: \(String(cString: strerror(errno))).")
  }
}
