public import Transit

/// Turns messages into bytes and back: the seam between the engine and the wire.
///
/// Dispatch is per message, never per token. A codec that only wraps another (to compress, to encrypt) calls it
/// and works on the bytes.
public protocol Codec: Sendable {
  /// What the bytes are called on the wire, such as `application/transit+json`.
  var mediaType: String { get }

  /// - Throws: `TransitError` when the message holds something that cannot be encoded.
  func encode<Message: WireMessage>(_ message: Message) throws -> [UInt8]

  /// - Throws: `TransitError` or ``MessageError``, with the byte offset where known.
  func decode<Message: WireMessage>(_ type: Message.Type, from bytes: [UInt8]) throws -> Message
}

/// A message that can be written and read as Transit tokens, without a tree in between.
public protocol WireMessage: Sendable {
  func write(to writer: inout TransitWriter) throws
  init(from reader: inout TransitReader) throws
}

/// Well-formed Transit that is not the message it should be.
public struct MessageError: Error, Sendable, CustomStringConvertible {
  public var message: String
  /// The byte at which it was noticed.
  public var offset: Int?

  public init(_ message: String, offset: Int? = nil) {
    self.message = message
    self.offset = offset
  }

  public var description: String { offset.map { "\(message) (at byte \($0))" } ?? message }
}

/// Messages as Transit, in one of its three encodings.
public struct TransitCodec: Codec, Hashable {
  public let format: TransitFormat

  public init(_ format: TransitFormat) { self.format = format }

  public var mediaType: String {
    switch format {
    case .json: "application/transit+json"
    case .verboseJSON: "application/transit+json; verbose=true"
    case .msgpack: "application/transit+msgpack"
    }
  }

  public func encode<Message: WireMessage>(_ message: Message) throws -> [UInt8] {
    var writer = TransitWriter(format)
    try message.write(to: &writer)
    return try writer.finish()
  }

  public func decode<Message: WireMessage>(_ type: Message.Type, from bytes: [UInt8]) throws -> Message {
    var reader = TransitReader(bytes, format: format)
    let message = try Message(from: &reader)
    try reader.finish()
    return message
  }
}

extension Codec where Self == TransitCodec {
  /// Transit-JSON: the protocol's default.
  public static var transitJSON: TransitCodec { TransitCodec(.json) }
  /// Transit-JSON without its cache, for people.
  public static var transitVerboseJSON: TransitCodec { TransitCodec(.verboseJSON) }
  /// Transit-MsgPack: the smallest and fastest.
  public static var transitMsgPack: TransitCodec { TransitCodec(.msgpack) }
}
