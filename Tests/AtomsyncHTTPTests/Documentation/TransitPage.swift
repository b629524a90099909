import Foundation
import Transit

// What the page on Transit shows: `DocumentationTests` compares it with this file.

private func values() throws {
  let todo: TransitValue = ["text": "Buy milk", "done": false, "tags": .set([.keyword("groceries")])]
  let bytes = try todo.transit(.json)
  // ["^ ","text","Buy milk","done",false,"tags",["~#set",["~:groceries"]]]

  let back = try TransitValue(transit: bytes, format: .json)
  print(back["text"] as Any)  // "Buy milk"
  print(back)  // {"text" "Buy milk", "done" false, "tags" #{:groceries}}

  let packed = try transcode(bytes, from: .json, to: .msgpack)
  _ = packed
}

private func tokens(_ old: [UInt8]) throws {
  var (version, stored) = (0 as Int64, old)
  var writer = TransitWriter(.json)
  try writer.beginMap(count: 2)
  try writer.write(Keyword("version"))
  try writer.write(Int64(7))
  try writer.write(Keyword("document"))
  try writer.write(encoded: stored, format: .msgpack)
  try writer.endMap()
  let message = try writer.finish()

  var reader = TransitReader(message, format: .json)
  try reader.beginMap()
  while let key = try reader.nextKey() {
    switch key {
    case .keyword("version"): version = try reader.readInt()
    case .keyword("document"): stored = try reader.readEncoded(as: .msgpack)
    default: try reader.skipValue()
    }
  }
  try reader.finish()
  print(version, stored.count)
}

private enum CodableTypes {
  struct Todo: Codable {
    var text: String
    var done: Bool
    var tags: Set<Keyword>
    var created: Date
  }

  static func code(_ todo: Todo) throws {
    let bytes = try TransitEncoder().encode(todo, format: .msgpack)
    let back = try TransitDecoder().decode(Todo.self, from: bytes, format: .msgpack)
    _ = back
  }
}

private enum Handlers {
  struct Point: TransitRepresentable {
    static let transitTag = "point"
    var x, y: Double
    var transitRep: TransitValue { [.double(x), .double(y)] }

    init(transitRep rep: TransitValue) throws {
      guard case .array(let parts) = rep, parts.count == 2, case .double(let x) = parts[0],
        case .double(let y) = parts[1]
      else { throw TransitError(.invalidRepresentation, "A point is two numbers.") }
      (self.x, self.y) = (x, y)
    }
  }
}
