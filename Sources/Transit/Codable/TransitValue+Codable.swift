extension TransitValue: Codable {
  /// Takes the value from a `TransitDecoder` as it is; from any other decoder, reads EDN text.
  public init(from decoder: any Decoder) throws {
    if let decoder = decoder as? ValueDecoder {
      self = decoder.value
      return
    }
    let container = try decoder.singleValueContainer()
    do {
      self = try TransitValue(edn: try container.decode(String.self))
    } catch let error as TransitError {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
    }
  }

  /// Gives the value to a `TransitEncoder` as it is; to any other encoder, writes EDN text.
  public func encode(to encoder: any Encoder) throws {
    if let encoder = encoder as? ValueEncoder {
      encoder.set(self)
      return
    }
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

extension TransitMap: Codable {
  /// Takes a map as ``TransitValue`` does.
  public init(from decoder: any Decoder) throws {
    let value = try TransitValue(from: decoder)
    guard case .map(let map) = value else {
      throw DecodingError.typeMismatch(
        Self.self,
        DecodingError.Context(codingPath: decoder.codingPath, debugDescription: "found \(value.typeName)"))
    }
    self = map
  }

  /// Writes a map as ``TransitValue`` does.
  public func encode(to encoder: any Encoder) throws { try TransitValue.map(self).encode(to: encoder) }
}

extension TransitSet: Codable {
  /// Takes a set as ``TransitValue`` does.
  public init(from decoder: any Decoder) throws {
    let value = try TransitValue(from: decoder)
    guard case .set(let set) = value else {
      throw DecodingError.typeMismatch(
        Self.self,
        DecodingError.Context(codingPath: decoder.codingPath, debugDescription: "found \(value.typeName)"))
    }
    self = set
  }

  /// Writes a set as ``TransitValue`` does.
  public func encode(to encoder: any Encoder) throws { try TransitValue.set(self).encode(to: encoder) }
}
