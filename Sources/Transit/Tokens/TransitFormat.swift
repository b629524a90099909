/// One of the three encodings of Transit. All of them say the same values.
public enum TransitFormat: Sendable, Hashable, CaseIterable {
  /// Transit-JSON: compact JSON, with repeated keys, keywords, symbols and tags sent once.
  case json
  /// Transit-JSON-Verbose: maps as JSON objects and dates as text, for people to read. Readers take it as `json`.
  case verboseJSON
  /// Transit-MessagePack: binary, with the same cache as `json`.
  case msgpack
}
