internal import Foundation

/// The names of a JSON text's objects. A reader of JSON keeps the last of two fields with one name and says nothing.
enum JSONNames {
  /// A name that an object has twice; `nil` when there is none. For a text that is known to be JSON.
  static func repeated(in json: [UInt8]) -> String? {
    // For each object and array that is open, the names so far.
    var open: [Set<String>] = []
    var position = 0
    while position < json.count {
      switch json[position] {
      case UInt8(ascii: "{"), UInt8(ascii: "["): open.append([])
      case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = open.popLast()
      case UInt8(ascii: "\""):
        let text = json[position..<end(ofStringAt: position, json)]
        position = text.endIndex
        guard !open.isEmpty, isName(endingAt: position, json), let name = decoded(text) else { continue }
        if !open[open.count - 1].insert(name).inserted { return name }
        continue
      default: break
      }
      position += 1
    }
    return nil
  }

  private static func end(ofStringAt start: Int, _ json: [UInt8]) -> Int {
    var position = start + 1
    while position < json.count, json[position] != UInt8(ascii: "\"") {
      position += json[position] == UInt8(ascii: "\\") ? 2 : 1
    }
    return min(position + 1, json.count)
  }

  private static func isName(endingAt end: Int, _ json: [UInt8]) -> Bool {
    json[end...].first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: ":")
  }

  private static func decoded(_ text: ArraySlice<UInt8>) -> String? {
    try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed) as? String
  }
}
