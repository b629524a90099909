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
  /// How deep a message may nest to be read.
  static var depth: Int { get }
  /// Writes the message as one Transit value.
  ///
  /// - Throws: `TransitError` when it holds something that cannot be written.
  func write(to writer: inout TransitWriter) throws
  /// Reads the message. Fields that are not known are skipped.
  ///
  /// - Throws: `TransitError`; ``MessageError`` when the value is not such a message.
  init(from reader: inout TransitReader) throws
}

extension WireMessage {
  /// An answer may be deeper than a request, so that a value that was taken can always be told: a UUID stands on two
  /// levels in MessagePack, and on none in JSON.
  public static var depth: Int { TransitLimits.standard.depth + 16 }
}

/// Well-formed Transit that is not the message it should be.
public struct MessageError: Error, Sendable, CustomStringConvertible {
  /// What is wrong, for people.
  public var message: String
  /// The byte at which it was noticed.
  public var offset: Int?

  /// An error with this message, and the byte at which it was noticed, if that is known.
  public init(_ message: String, offset: Int? = nil) {
    self.message = message
    self.offset = offset
  }

  /// The message, with the byte.
  public var description: String { offset.map { "\(message) (at byte \($0))" } ?? message }
}

/// Messages as Transit, in one of its three encodings.
public struct TransitCodec: Codec, Hashable {
  /// Which of the three encodings it is.
  public let format: TransitFormat

  /// A codec for this encoding.
  public init(_ format: TransitFormat) { self.format = format }

  /// The encoding's media type; verbose JSON has the parameter `verbose=true`.
  public var mediaType: String {
    switch format {
    case .json: "application/transit+json"
    case .verboseJSON: "application/transit+json; verbose=true"
    case .msgpack: "application/transit+msgpack"
    }
  }

  /// What the values of a message may come to when each stands for itself: 32 MiB, or four times the message. Each value
  /// is kept without the cache of the message it came in, so that a text which many of them share is there many times.
  static let expandedBytes = 32 << 20
  static let expansion = 4
  /// The largest message without cache codes: 16 MiB.
  static let maximumVerboseBytes = 16 << 20

  /// Encodes the message.
  ///
  /// - Throws: `TransitError`, with `tooLarge` when it would have more than 16 MiB in verbose JSON.
  public func encode<Message: WireMessage>(_ message: Message) throws -> [UInt8] {
    // Only without cache codes can a message be much larger than what it is made of.
    let bytes = format == .verboseJSON ? Self.maximumVerboseBytes : .max
    var writer = TransitWriter(format, limits: TransitLimits(depth: Message.depth, bytes: bytes))
    try message.write(to: &writer)
    return try writer.finish()
  }

  /// Decodes the message, and expects nothing behind it.
  ///
  /// - Throws: `TransitError`, with `tooLarge` when its values, each written by itself, come to more than
  ///   32 MiB and more than four times the bytes; ``MessageError``.
  public func decode<Message: WireMessage>(_ type: Message.Type, from bytes: [UInt8]) throws -> Message {
    let expanded = max(Self.expandedBytes, Self.expansion * bytes.count)
    var reader = TransitReader(
      bytes, format: format, limits: TransitLimits(depth: Message.depth, bytes: expanded))
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
