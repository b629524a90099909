import Foundation
import Transit

/// Measures Transit on documents against `JSONSerialization` on the same data, in one run.
///
/// `transit-benchmarks [documents] [only] [runs]`: the number of documents (10,000), words that the names of the wanted
/// lines contain, and how often each is run.
@main
struct Main {
  static func main() throws {
    let arguments = CommandLine.arguments
    let count = arguments.count > 1 ? Int(arguments[1]) ?? 10_000 : 10_000
    let only = arguments.count > 2 ? arguments[2] : ""
    let runs = arguments.count > 3 ? Int(arguments[3]) ?? 15 : 15
    let value = SampleData.documents(count)
    let json = try value.transit(.json)
    let verbose = try value.transit(.verboseJSON)
    let msgpack = try value.transit(.msgpack)
    let todos =
      only.isEmpty || only.contains("Codable")
      ? try TransitDecoder().decode([String: Todo].self, from: value) : [:]

    func measure<R>(
      _ name: String, _ bytes: Int, _ reference: (Measurement, Double)? = nil, _ work: () throws -> R
    )
      rethrows
    {
      guard only.isEmpty || name.contains(only) else { return }
      print(Row(name: name, bytes: bytes, measurement: try .of(runs: runs, work), reference: reference).line)
    }

    print(
      "\(count) documents: \(json.count) bytes JSON, \(verbose.count) verbose, \(msgpack.count) MessagePack")
    print("                                   median ms   best ms      MB/s   against JSONSerialization")
    var parse: Measurement?
    var write: Measurement?
    if only.isEmpty {
      let plain = SampleData.plain(value)
      let data = try JSONSerialization.data(withJSONObject: plain)
      let parsing = try Measurement.of(runs: 5) { try JSONSerialization.jsonObject(with: data) }
      let writing = try Measurement.of(runs: 3) { try JSONSerialization.data(withJSONObject: plain) }
      print(Row(name: "JSONSerialization parse", bytes: data.count, measurement: parsing).line)
      print(Row(name: "JSONSerialization write", bytes: data.count, measurement: writing).line)
      (parse, write) = (parsing, writing)
    }
    func limit(_ measurement: Measurement?, _ ratio: Double) -> (Measurement, Double)? {
      measurement.map { ($0, ratio) }
    }

    try measure("JSON decode to values", json.count, limit(parse, 8)) {
      try TransitValue(transit: json, format: .json)
    }
    try measure("JSON encode from values", json.count, limit(write, 60)) { try value.transit(.json) }
    try measure("MessagePack decode to values", msgpack.count, limit(parse, 10)) {
      try TransitValue(transit: msgpack, format: .msgpack)
    }
    try measure("MessagePack encode from values", msgpack.count, limit(write, 80)) {
      try value.transit(.msgpack)
    }
    try measure("Transcode MessagePack to JSON", msgpack.count, limit(write, 60)) {
      try transcode(msgpack, from: .msgpack, to: .json)
    }
    try measure("Transcode JSON to MessagePack", json.count, limit(write, 0)) {
      try transcode(json, from: .json, to: .msgpack)
    }
    try measure("Verbose decode to values", verbose.count, limit(parse, 0)) {
      try TransitValue(transit: verbose, format: .verboseJSON)
    }
    try measure("Verbose encode from values", verbose.count, limit(write, 0)) {
      try value.transit(.verboseJSON)
    }
    try measure("Codable decode from JSON", json.count, limit(parse, 0)) {
      try TransitDecoder().decode([String: Todo].self, from: json, format: .json)
    }
    try measure("Codable decode from a value", json.count, limit(parse, 0)) {
      try TransitDecoder().decode([String: Todo].self, from: value)
    }
    try measure("Codable encode to JSON", json.count, limit(write, 0)) {
      try TransitEncoder().encode(todos, format: .json)
    }
    try measure("Codable encode to a value", json.count, limit(write, 0)) {
      try TransitEncoder().encode(todos)
    }
    measure("EDN print", json.count, limit(write, 0)) { value.description }
    let edn = only.isEmpty || only.contains("EDN") ? value.description : "nil"
    try measure("EDN parse", edn.utf8.count, limit(parse, 0)) { try TransitValue(edn: edn) }
  }
}
