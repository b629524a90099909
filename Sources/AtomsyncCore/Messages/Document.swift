internal import Transit

/// One value as bytes: a single top-level value in Transit-MsgPack.
///
/// What a document holds on its way through the engine. It is transcoded at the edges, token by token, and
/// becomes a tree only where somebody looks at it.
public struct Payload: Sendable, Hashable {
  /// One value in Transit-MsgPack.
  public let bytes: [UInt8]

  /// - Parameter bytes: one value in Transit-MsgPack; not checked here.
  public init(bytes: [UInt8]) { self.bytes = bytes }
}

/// What a document is: a value, or deleted.
public enum Content: Sendable, Hashable {
  /// The value, encoded.
  case value(Payload)
  /// Deleted: there is no value.
  case deleted

  /// The value's bytes; `nil` when deleted.
  public var payload: Payload? {
    if case .value(let payload) = self { payload } else { nil }
  }

  /// The encoded size of the value in bytes; 0 when deleted.
  public var byteCount: Int { payload?.bytes.count ?? 0 }
}

/// A document as the authority knows it.
public struct Document: Sendable, Hashable {
  /// The document's id: 1 to 256 bytes of UTF-8 in composed form (NFC), without control characters.
  public var id: String
  /// Rises by one with every accepted write, through deletion and re-creation. 0: never existed.
  public var version: Int64
  /// When it was last written, in milliseconds since 1970 by the server's clock. For people, never for syncing.
  public var updated: Int64
  /// The value, or that the document is deleted.
  public var content: Content

  /// A document; a tombstone when the content is ``Content/deleted``.
  public init(id: String, version: Int64, updated: Int64, content: Content) {
    self.id = id
    self.version = version
    self.updated = updated
    self.content = content
  }
}

/// An exact place in a group's history. Opaque: clients store it and hand it back.
public struct Cursor: Sendable, Hashable {
  /// ASCII, without spaces.
  public var text: String

  /// A cursor of this text, which is not checked.
  public init(_ text: String) { self.text = text }
}
