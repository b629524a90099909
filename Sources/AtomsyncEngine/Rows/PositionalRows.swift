internal import AtomsyncCore
internal import Foundation

// The rows of store format 1, as they were when tags took the place of positions. Fields were added at the end of some:
// a row may be of before that.

extension GroupHead {
  init(positional bytes: [UInt8]) throws {
    var reader = PositionalReader(bytes)
    self.init()
    counter = try reader.number()
    horizon = try reader.number()
    updated = try reader.number()
    floor = try reader.number()
  }
}

extension DocumentIndex {
  init(positional bytes: [UInt8]) throws {
    var reader = PositionalReader(bytes)
    self.init(
      sequence: try reader.number(), version: try reader.number(), updated: try reader.number(),
      isDeleted: try reader.flag())
  }
}

extension Document {
  init(positional bytes: [UInt8]) throws {
    var reader = PositionalReader(bytes)
    self.init(
      id: try reader.text(), version: try reader.number(), updated: try reader.number(),
      content: try reader.content())
  }
}

extension AtomRecord {
  init(positional bytes: [UInt8]) throws {
    var reader = PositionalReader(bytes)
    self.init(client: try reader.uuid())
    push = try reader.number()
    edit = try reader.number()
    conflict = try reader.number()
    cursor = try reader.optional { Cursor(try $0.text()) }
    generation = try reader.number()
    isResetting = try reader.flag()
    hasSynced = try reader.flag()
    user = try reader.optional { try $0.text() }
    isRevoked = reader.isAtEnd ? false : try reader.flag()
  }
}

extension BaseDocument {
  init(positional bytes: [UInt8]) throws {
    var reader = PositionalReader(bytes)
    self.init(
      version: try reader.number(), updated: try reader.number(), generation: try reader.number(),
      value: try StoredValue(try reader.payload()))
  }
}

extension PendingEdit {
  init(positional bytes: [UInt8]) throws {
    var reader = PositionalReader(bytes)
    let (first, edit) = (try reader.number(), try reader.number())
    self.init(on: nil, first: first, made: 0)
    self.edit = edit
    baseVersion = try reader.number()
    base = try reader.value()
    value = try reader.value()
    atomic = try reader.optional { try $0.number() }
    made = try reader.number()
    sent = try reader.list { try $0.value() }
  }
}

extension FrozenPush {
  init(positional bytes: [UInt8]) throws {
    var reader = PositionalReader(bytes)
    let ticket = PushTicket(client: try reader.uuid(), number: try reader.number())
    let isAtomic = try reader.flag()
    let entries = try reader.list { reader in
      Entry(
        id: try reader.text(), edit: try reader.number(), version: try reader.number(),
        value: try reader.value())
    }
    let cursor = reader.isAtEnd ? nil : try reader.optional { Cursor(try $0.text()) }
    self.init(ticket: ticket, cursor: cursor, seen: nil, isAtomic: isAtomic, entries: entries)
  }
}

extension VerdictRow {
  init(positional bytes: [UInt8]) throws {
    var reader = PositionalReader(bytes)
    _ = try reader.number()  // when it was noticed: the atom's age counts now
    let kind = try reader.number()
    let number = try reader.number()
    let text = try reader.text()
    let verdict: Verdict
    switch kind {
    case 0: verdict = .accepted(version: number)
    case 1: verdict = .rejected(reason: text)
    case 2: verdict = .superseded(conflict: number)
    case 3: verdict = .discarded
    default: throw RowReader.newer("a verdict of a kind that this one does not know (\(kind))")
    }
    self.init(verdict, firstEdit: reader.isAtEnd ? 0 : try reader.number(), age: 0)
  }
}

extension RejectedEdit {
  init(document: String, positional bytes: [UInt8]) throws {
    var reader = PositionalReader(bytes)
    let reason = try reader.text()
    let value = try reader.value()
    self.init(
      Rejection(
        document: document, reason: reason, value: value?.value,
        detectedAt: .init(milliseconds: try reader.number())), value)
  }
}

extension ConflictRow {
  init(number: Int64, positional bytes: [UInt8]) throws {
    var reader = PositionalReader(bytes)
    let document = try reader.text()
    let (base, local, remote) = (try reader.value(), try reader.value(), try reader.value())
    let (kind, reason) = (try reader.number(), try reader.text())
    self.init(
      number: number, document: document, base: base, local: local, remote: remote,
      outcome: try Self.outcome(kind, reason), detected: try reader.number(), age: 0)
  }
}
