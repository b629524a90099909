internal import Atomsync
internal import AtomsyncCore
internal import Foundation

/// A line of the journal.
struct JournalLine: Codable, Sendable {
  enum Kind: String, Codable, Sendable {
    /// The store was opened.
    case start
    /// A swap is about to be made.
    case made
    /// A swap was acknowledged as durable.
    case saved
    /// A swap could not be made durable, for now.
    case unsaved
    /// The server's word on one document of a swap.
    case verdict
    /// What the status says of the server or of the disk has changed.
    case status
    /// An acknowledged swap of an earlier run is gone.
    case lost
    /// All swaps were made.
    case done
  }

  var kind: Kind
  var run: Int
  var receipt: Receipt.ID?
  /// What the swap wrote: `nil` for a deletion.
  var writes: [String: String?]?
  var id: String?
  var outcome: String?
  var version: Int64?
  var conflict: Int64?
  var pending: Int?
  var message: String?
  var storageError: String?
}

/// A file to which lines are appended; each is whole, or cut off by the end of the process.
final class Journal: Sendable {
  private let descriptor: Int32
  private let isDurable: Bool
  private let lock = NSLock()

  init(_ path: String, isDurable: Bool) throws {
    descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    guard descriptor >= 0 else { throw StressError("The journal \(path) cannot be opened.") }
    self.isDurable = isDurable
    _ = write(descriptor, "\n", 1)  // the end of a line that a kill may have cut off
  }

  func append(_ line: JournalLine) {
    guard var bytes = try? JSONEncoder().encode(line) else { return }
    bytes.append(UInt8(ascii: "\n"))
    lock.withLock {
      let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      guard written == bytes.count else {
        // A test that forgets what was acknowledged shows nothing.
        FileHandle.standardError.write(Data("The journal cannot be written.\n".utf8))
        _exit(3)
      }
      if isDurable { _ = fsync(descriptor) }
    }
  }

  /// The lines of a journal that are whole.
  static func lines(_ path: String, last bytes: UInt64 = .max) throws -> [JournalLine] {
    guard let file = FileHandle(forReadingAtPath: path) else { return [] }
    defer { try? file.close() }
    let size = try file.seekToEnd()
    let start = size > bytes ? size - bytes : 0
    try file.seek(toOffset: start)
    let data = try file.readToEnd() ?? Data()
    let decoder = JSONDecoder()
    return data.split(separator: UInt8(ascii: "\n")).compactMap {
      try? decoder.decode(JournalLine.self, from: Data($0))
    }
  }
}

struct StressError: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}
