internal import Atomsync
internal import Foundation
internal import Transit

/// How values are shown.
struct Output: Sendable {
  let format: ReplicaOptions.Format

  func show(_ value: TransitValue) throws -> String {
    switch format {
    case .edn: Terminal.hasColors ? EDNColors.colored(edn(value)) : edn(value)
    case .json: String(decoding: try value.transit(.verboseJSON), as: UTF8.self)
    case .transit: String(decoding: try value.transit(.json), as: UTF8.self)
    }
  }

  func printValue(_ value: TransitValue) throws { try Self.line(try show(value)) }

  /// All documents as one map, in the order of their ids.
  func printAll(_ documents: Documents<TransitValue>) throws {
    var map = TransitMap()
    for id in documents.ids.sorted() { map[.string(id)] = documents[id] }
    try printValue(.map(map))
  }

  /// A line for each document that changed: its id, and its value or nil.
  func printChange(_ change: Change<TransitValue>) throws {
    for id in change.ids.sorted() {
      try printValue(.array([.string(id), change.new.transit(id) ?? .null]))
    }
  }

  func printStatus(_ status: SyncStatus) throws {
    var map = TransitMap()
    func moment(_ key: String, _ date: Date?) {
      if let date { map[.keyword(key)] = .instant(Instant(date)) }
    }
    map[.keyword("unsaved")] = .int(Int64(status.unsavedCount))
    map[.keyword("pending")] = .array(status.pendingIDs.map { .string($0) })
    moment("oldest-pending", status.oldestPending)
    map[.keyword("in-flight")] = .int(Int64(status.inFlightCount))
    map[.keyword("rejected")] = .int(Int64(status.rejectedCount))
    map[.keyword("open-conflicts")] = .int(Int64(status.openConflictCount))
    if status.unopenedCount > 0 { map[.keyword("unopened")] = .int(Int64(status.unopenedCount)) }
    map[.keyword("synced")] = .bool(status.hasSynced)
    map[.keyword("revoked")] = .bool(status.isRevoked)
    map[.keyword("connection")] = .string("\(status.connection)")
    moment("last-pull", status.lastPull)
    moment("last-push", status.lastPush)
    moment("next-retry", status.nextRetry)
    if let error = status.lastError { map[.keyword("error")] = .string(error) }
    if let error = status.lastStorageError { map[.keyword("storage-error")] = .string(error) }
    try printValue(.map(map))
  }

  func printRejection(_ rejection: Rejection) throws {
    var map = TransitMap()
    map[.keyword("id")] = .string(rejection.document)
    map[.keyword("reason")] = .string(rejection.reason)
    if let message = rejection.message { map[.keyword("message")] = .string(message) }
    map[.keyword("value")] = rejection.value ?? .null
    map[.keyword("detected-at")] = .instant(Instant(rejection.detectedAt))
    try printValue(.map(map))
  }

  func printConflict(_ conflict: Conflict) throws {
    var map = TransitMap()
    map[.keyword("number")] = .int(conflict.id)
    map[.keyword("id")] = .string(conflict.document)
    map[.keyword("outcome")] = .string("\(conflict.outcome)")
    map[.keyword("base")] = conflict.base ?? .null
    map[.keyword("local")] = conflict.local ?? .null
    map[.keyword("remote")] = conflict.remote ?? .null
    map[.keyword("detected-at")] = .instant(Instant(conflict.detectedAt))
    try printValue(.map(map))
  }

  /// Control characters are escaped: what others have written is not the terminal's to obey.
  private func edn(_ value: TransitValue) -> String { Self.escaped(value.description) }

  /// `text` with its control characters as EDN has them.
  static func escaped(_ text: String) -> String {
    text.unicodeScalars.reduce(into: "") { text, scalar in
      if scalar.properties.generalCategory == .control {
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
  }

  /// Writes a line at once, also into a pipe.
  ///
  /// - Throws: ``OutputError``.
  static func line(_ text: String) throws {
    do { try FileHandle.standardOutput.write(contentsOf: Data("\(text)\n".utf8)) } catch {
      throw OutputError(error)
    }
  }

  /// Tells people something beside the output; where there is nobody to hear it, it is lost.
  static func note(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data("atomsync: \(escaped(text))\n".utf8))
  }
}
