internal import AtomsyncCore
internal import AtomsyncEngine
internal import Crypto
internal import Foundation

/// Reads a dump, and finds out whether it is whole.
struct DumpReader {
  private let path: String
  private let file: FileHandle
  private var buffer: [UInt8] = []
  private var start = 0
  private var isAtEnd = false
  private var digest = SHA256()
  private var rows: Int64 = 0
  private var lastKey: [UInt8]?
  private var hasHeader = false
  private var isComplete = false

  private static let chunkBytes = 1 << 20

  /// - Throws: ``OperationError`` with `inaccessible`, or `damaged` when it does not begin like a dump.
  init(_ path: String) throws {
    self.path = path
    guard let file = FileHandle(forReadingAtPath: path) else {
      throw OperationError(.inaccessible, "The dump \(path) cannot be read.")
    }
    self.file = file
    guard let line = try line(), case .head(let version)? = DumpFormat.line(line) else {
      throw OperationError(.damaged, "\(path) is not a dump of a store.")
    }
    guard version == DumpFormat.version else {
      throw OperationError(
        .damaged,
        "The dump \(path) has version \(version), and this Atomsync reads version 1. Use a newer Atomsync.")
    }
    count(line)
  }

  /// Reads the whole dump.
  ///
  /// - Throws: ``OperationError``; what `body` throws.
  static func read(_ path: String, _ body: (StorageEntry) throws -> Void) throws {
    var reader = try DumpReader(path)
    while let entry = try reader.next() { try body(entry) }
  }

  /// The next row; `nil` at the end of a dump that is whole.
  ///
  /// - Throws: ``OperationError`` with `damaged`.
  mutating func next() throws -> StorageEntry? {
    if isComplete { return nil }
    guard let line = try line() else { throw damaged("It ends before its last line.") }
    switch DumpFormat.line(line) {
    case .row(let entry):
      count(line)
      try check(entry)
      return entry
    case .tail(let rows, let digest):
      guard rows == self.rows, digest == DumpFormat.text(self.digest.finalize()) else {
        throw damaged("Its contents are not those that were written.")
      }
      guard hasHeader else { throw damaged("It has no header of a store.") }
      guard try self.line() == nil else { throw damaged("Something follows its last line.") }
      isComplete = true
      return nil
    case .head, nil: throw damaged("Line \(rows + 2) is not a row.")
    }
  }

  private mutating func check(_ entry: StorageEntry) throws {
    rows += 1
    guard !entry.key.isEmpty, lastKey.map({ $0.precedes(entry.key) }) ?? true else {
      throw damaged("Its rows are not in order.")
    }
    lastKey = entry.key
    if entry.key == StoreHeader.rowKey {
      do { try StoreHeader.check(entry.value, kind: .authority) } catch let error as StorageError {
        throw OperationError(.damaged, "The dump \(path) cannot be used. \(error.message)")
      }
      hasHeader = true
    }
  }

  private mutating func count(_ line: [UInt8]) { digest.update(data: line + [DumpFormat.newline]) }

  private func damaged(_ reason: String) -> OperationError {
    OperationError(.damaged, "The dump \(path) is damaged. \(reason)")
  }

  /// The next line without its end; `nil` when there is none. A last line without an end is cut short.
  private mutating func line() throws -> [UInt8]? {
    var searched = start
    while true {
      if let end = buffer[searched...].firstIndex(of: DumpFormat.newline) {
        defer { start = end + 1 }
        return Array(buffer[start..<end])
      }
      searched = buffer.count
      if isAtEnd {
        guard start == buffer.count else { throw damaged("It ends in the middle of a line.") }
        return nil
      }
      guard buffer.count - start <= DumpFormat.maximumLine else { throw damaged("A line is too long.") }
      buffer.removeFirst(start)
      searched -= start
      start = 0
      let chunk: Data?
      do { chunk = try file.read(upToCount: Self.chunkBytes) } catch {
        throw OperationError(.inaccessible, "The dump \(path) cannot be read. (\(error))")
      }
      if let chunk, !chunk.isEmpty { buffer.append(contentsOf: chunk) } else { isAtEnd = true }
    }
  }
}
