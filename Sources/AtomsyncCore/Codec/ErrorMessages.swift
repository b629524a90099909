public import Transit

extension ProtocolError: WireMessage {
  /// Writes the error as the body of an answer. (Docs/Protocol.md §7.)
  public func write(to writer: inout TransitWriter) throws {
    try writer.beginMap(count: 2 + (limit == nil ? 0 : 1) + (offset == nil ? 0 : 1))
    try writer.field(Keys.error, Keyword(code.text))
    try writer.field(Keys.message, message)
    if let limit { try writer.field(Keys.limit, limit) }
    if let offset { try writer.field(Keys.offset, offset) }
    try writer.endMap()
  }

  /// Reads the error. The code has to be there.
  public init(from reader: inout TransitReader) throws {
    var code: String?
    var message = ""
    var limit: Int64?
    var offset: Int64?
    try reader.fields { name, reader in
      switch name {
      case "error": code = try reader.readKeyword().text
      case "message": message = try reader.readString()
      case "limit": limit = try reader.readInt()
      case "offset": offset = try reader.readInt()
      default: return false
      }
      return true
    }
    self.init(Code(try reader.required(code, "error")), message, limit: limit, offset: offset)
  }
}
