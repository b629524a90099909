internal import Foundation

/// The rules for names that travel: groups and document ids. (Docs/Protocol.md §1.)
public enum Names {
  /// The longest group name in bytes of UTF-8.
  public static let maximumGroupLength = 128
  /// The longest document id in bytes of UTF-8.
  public static let maximumIDLength = 256

  /// What is wrong with `group` as the name of a group; `nil` when nothing is.
  public static func problem(group: String) -> String? {
    problem(group, noun: "A group name", limit: maximumGroupLength)
  }

  /// What is wrong with `id` as a document's id; `nil` when nothing is.
  public static func problem(id: String) -> String? {
    problem(id, noun: "A document id", limit: maximumIDLength)
  }

  private static func problem(_ name: String, noun: String, limit: Int) -> String? {
    let bytes = name.utf8
    if bytes.isEmpty { return "\(noun) must not be empty." }
    if bytes.count > limit {
      return "\(noun) has at most \(limit) bytes of UTF-8; this one has \(bytes.count)."
    }
    // C0, DEL and C1. In UTF-8 the C1 controls are C2 80 … C2 9F.
    var previous: UInt8 = 0
    var isASCII = true
    for byte in bytes {
      if byte < 0x20 || byte == 0x7F || (previous == 0xC2 && byte < 0xA0) {
        return "\(noun) must not contain control characters."
      }
      previous = byte
      isASCII = isASCII && byte < 0x80
    }
    // Swift takes both spellings of "é" for one text, stores and wires for two: only one of them may be a name.
    if !isASCII, !name.precomposedStringWithCanonicalMapping.utf8.elementsEqual(bytes) {
      return "\(noun) must be in Unicode's composed form (NFC)."
    }
    return nil
  }
}
