import Testing
import Transit

@Suite("TransitWriter and TransitReader")
struct TokenTests {
  private func message(_ format: TransitFormat, document: [UInt8], in source: TransitFormat) throws -> [UInt8]
  {
    var writer = TransitWriter(format, reservingCapacity: 100)
    try writer.beginMap(count: 3)
    try writer.write(Keyword("name"))
    try writer.write("Ada")
    try writer.write(Keyword("documents"))
    try writer.beginArray(count: 2)
    for _ in 0..<2 { try writer.write(encoded: document, format: source) }
    try writer.endArray()
    try writer.write(Keyword("rest"))
    try writer.beginArray(count: 5)
    try writer.writeNull()
    try writer.write(true)
    try writer.write(Int64(7))
    try writer.write(1.5)
    try writer.write(["text": .keyword("text")] as TransitValue)
    try writer.endArray()
    try writer.endMap()
    return try writer.finish()
  }

  @Test(
    "A message with embedded documents goes through all encodings", arguments: TransitFormat.allCases,
    TransitFormat.allCases)
  func messages(format: TransitFormat, stored: TransitFormat) throws {
    let document: TransitValue = [
      .keyword("text"): "Buy milk", .keyword("tags"): .set([.keyword("text"), .keyword("name")]),
      "many": .array((0..<20).map { .int($0) }), [1]: 2,
    ]
    let bytes = try message(format, document: document.transit(stored), in: stored)
    let whole = try TransitValue(transit: bytes, format: format)
    #expect(try whole.transit(format) == bytes)
    #expect(whole["documents"] == [document, document])

    var reader = TransitReader(bytes, format: format)
    try reader.beginMap()
    #expect(try reader.nextKey() == .keyword("name"))
    #expect(try reader.readString() == "Ada")
    #expect(try reader.nextKey() == .keyword("documents"))
    try reader.beginArray()
    #expect(try reader.hasNextElement())
    #expect(try reader.readEncoded(as: stored) == document.transit(stored))
    #expect(try reader.hasNextElement())
    try reader.skipValue()
    #expect(try !reader.hasNextElement())
    #expect(try reader.nextKey() == .keyword("rest"))
    try reader.beginArray()
    #expect(try reader.hasNextElement())
    #expect(try reader.peekIsNull())
    #expect(try reader.readNullIfPresent())
    #expect(try reader.hasNextElement())
    #expect(try !reader.peekIsNull())
    #expect(try reader.readBool())
    #expect(try reader.hasNextElement())
    #expect(try reader.readInt() == 7)
    #expect(try reader.hasNextElement())
    #expect(try reader.readDouble() == 1.5)
    #expect(try reader.hasNextElement())
    #expect(try reader.readValue() == ["text": .keyword("text")])
    #expect(try !reader.hasNextElement())
    #expect(try reader.nextKey() == nil)
    try reader.finish()
    #expect(reader.offset == bytes.count)
  }

  @Test("An embedded scalar keeps no quote", arguments: TransitFormat.allCases)
  func scalars(format: TransitFormat) throws {
    var writer = TransitWriter(format)
    try writer.beginArray(count: 2)
    try writer.write(encoded: TransitValue.int(5).transit(.json), format: .json)
    try writer.write(encoded: TransitValue.null.transit(.msgpack), format: .msgpack)
    try writer.endArray()
    let bytes = try writer.finish()
    #expect(try bytes == TransitValue.array([5, nil]).transit(format))
    var reader = TransitReader(bytes, format: format)
    try reader.beginArray()
    #expect(try reader.hasNextElement())
    #expect(try reader.readEncoded(as: .json) == TransitValue.int(5).transit(.json))
  }

  @Test("All forms of maps and arrays can be entered")
  func forms() throws {
    for json in [##"["^ ","a",1]"##, ##"{"a":1}"##, ##"["~#cmap",["a",1]]"##, ##"{"~#cmap":["a",1]}"##] {
      var reader = TransitReader(utf8(json), format: .json)
      try reader.beginMap()
      #expect(try reader.nextKey() == "a")
      #expect(try reader.readInt() == 1)
      #expect(try reader.nextKey() == nil)
      try reader.finish()
    }
    for json in ["[1]", ##"["~#list",[1]]"##, ##"["~#set",[1]]"##, ##"{"~#set":[1]}"##] {
      var reader = TransitReader(utf8(json), format: .json)
      try reader.beginArray()
      #expect(try reader.hasNextElement())
      #expect(try reader.readInt() == 1)
      #expect(try !reader.hasNextElement())
      try reader.finish()
    }
    for json in [##"["^ "]"##, "{}"] {
      var reader = TransitReader(utf8(json), format: .json)
      try reader.beginMap()
      #expect(try reader.nextKey() == nil)
      try reader.finish()
    }
  }

  @Test("A wrong type is told with its place")
  func mismatches() throws {
    var reader = TransitReader(utf8(#"["abc"]"#), format: .json)
    try reader.beginArray()
    _ = try reader.hasNextElement()
    let error = #expect(throws: TransitError.self) { try reader.readInt() }
    #expect(error?.code == .typeMismatch)
    #expect(error?.offset == 1)
    #expect(throws: TransitError.self) {
      var reader = TransitReader(utf8("[1]"), format: .json)
      try reader.beginMap()
    }
    #expect(throws: TransitError.self) {
      var reader = TransitReader(utf8("[1] x"), format: .json)
      _ = try reader.readValue()
      try reader.finish()
    }
    #expect(throws: TransitError.self) {
      var reader = TransitReader(utf8("[1]"), format: .json)
      try reader.beginArray()
      _ = try reader.readInt()
    }
  }

  @Test("A writer refuses what makes no value")
  func misuse() throws {
    func refused(_ body: (inout TransitWriter) throws -> Void) {
      for format in TransitFormat.allCases {
        var writer = TransitWriter(format)
        let error = #expect(throws: TransitError.self) { try body(&writer) }
        #expect(error?.code == .misuse)
      }
    }
    refused { _ = try $0.finish() }
    refused {
      try $0.beginMap(count: 1)
      try $0.endMap()
    }
    refused {
      try $0.beginMap(count: 1)
      try $0.write("a")
      try $0.endMap()
    }
    refused {
      try $0.beginArray(count: 2)
      try $0.write("a")
      try $0.endArray()
    }
    refused {
      try $0.beginArray(count: 0)
      try $0.endMap()
    }
    refused {
      try $0.beginArray(count: 0)
      _ = try $0.finish()
    }
    refused {
      try $0.write("a")
      try $0.write("b")
    }
    refused {
      try $0.beginMap(count: 1)
      try $0.beginArray(count: 0)
    }
    refused {
      try $0.beginMap(count: 1)
      try $0.write([1] as TransitValue)
    }
    refused {
      try $0.beginTagged("a")
      try $0.endTagged()
    }
  }

  @Test("Counts that come last and tags are written as well", arguments: TransitFormat.allCases)
  func lateCounts(format: TransitFormat) throws {
    for count in [0, 1, 15, 16, 70_000] {
      var writer = TransitWriter(format)
      try writer.beginTagged("box")
      try writer.beginMap()
      try writer.write("items")
      try writer.beginArray()
      for number in 0..<count { try writer.write(Int64(number)) }
      try writer.endArray()
      try writer.endMap()
      try writer.endTagged()
      let value = TransitValue.tagged("box", ["items": .array((0..<Int64(count)).map { .int($0) })])
      let bytes = try writer.finish()
      #expect(try bytes == value.transit(format))
    }
  }

  @Test("Several top-level values follow each other in one buffer", arguments: TransitFormat.allCases)
  func sequences(format: TransitFormat) throws {
    var buffer: [UInt8] = []
    var writer = TransitWriter(format)
    let values: [TransitValue] = [
      [.keyword("text"): 1], .keyword("text"), [.keyword("text"), .keyword("text")],
    ]
    for value in values {
      try writer.write(value)
      try writer.finish(into: &buffer)
    }
    var reader = TransitReader(buffer, format: format)
    var read = [try reader.readValue()]
    while try reader.nextTopLevel() { read.append(try reader.readValue()) }
    #expect(read == values)
  }

  @Test(
    "Many documents in one message share its cache", .timeLimit(.minutes(1)),
    arguments: TransitFormat.allCases)
  func manyDocuments(format: TransitFormat) throws {
    let count = 3000
    var writer = TransitWriter(format)
    try writer.beginArray(count: count)
    for number in 0..<count {
      let document: TransitValue = [
        .keyword("number"): .int(Int64(number)), .string("key \(number)"): .keyword("text"),
      ]
      try writer.write(encoded: document.transit(.msgpack), format: .msgpack)
    }
    try writer.endArray()
    var reader = TransitReader(try writer.finish(), format: format)
    try reader.beginArray()
    var number: Int64 = 0
    while try reader.hasNextElement() {
      if number % 3 == 0 {
        let document = try TransitValue(transit: reader.readEncoded(as: .json), format: .json)
        #expect(document[keyword: "number"] == .int(number))
      } else if number % 3 == 1 {
        try reader.skipValue()
      } else {
        let document = try reader.readValue()
        #expect(document["key \(number)"] == .keyword("text"))
      }
      number += 1
    }
    try reader.finish()
    #expect(number == Int64(count))
  }

  @Test("A transcoded large document has whole headers")
  func headers() throws {
    var value: TransitValue = .array((0..<70_000).map { .int($0) })
    for _ in 0..<40 { value = .array([value] + (0..<20).map { .string("item \($0)") }) }
    let json = try value.transit(.json)
    #expect(try transcode(json, from: .json, to: .msgpack) == value.transit(.msgpack))
  }
}
