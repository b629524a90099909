import Foundation
import Transit

/// Measures Transit on documents against `JSONSerialization` on the same data, in one run.
///
/// `transit-benchmarks [documents] [only] [rounds]`: the number of documents (10,000), words that the names of the
/// wanted lines contain, and how often each is run (15).
@main
struct Main {
  static let parse = "JSONSerialization parse"
  static let write = "JSONSerialization write"

  static func main() throws {
    let arguments = CommandLine.arguments
    let count = arguments.count > 1 ? Int(arguments[1]) ?? 10_000 : 10_000
    let only = arguments.count > 2 ? arguments[2] : ""
    let rounds = arguments.count > 3 ? Int(arguments[3]) ?? 15 : 15
    let workloads = try all(SampleData.documents(count), only)
    let measurements = try Measurements(workloads, rounds: rounds)
    print("\(count) documents, \(rounds) rounds; MB/s by the best, ratios by the medians and by the best")
    print("                                  median ms   best ms     MB/s   against JSONSerialization")
    for workload in workloads { print(measurements.line(workload)) }
  }

  /// The workloads whose names contain some words. Only their data is prepared.
  private static func all(_ value: TransitValue, _ only: String) throws -> [Workload] {
    func wanted(_ words: String) -> Bool { only.isEmpty || words.contains(only) || only.contains(words) }
    let json = try value.transit(.json)
    let verbose = try value.transit(.verboseJSON)
    let msgpack = try value.transit(.msgpack)
    print("\(json.count) bytes of JSON, \(verbose.count) verbose, \(msgpack.count) of MessagePack")
    var list = try only.isEmpty ? foundation(value) : []
    list += [
      Workload("JSON decode to values", bytes: json.count, against: parse, factor: 8) {
        try TransitValue(transit: json, format: .json)
      },
      Workload("JSON encode from values", bytes: json.count, against: write, factor: 60) {
        try value.transit(.json)
      },
      Workload("MessagePack decode to values", bytes: msgpack.count, against: parse, factor: 10) {
        try TransitValue(transit: msgpack, format: .msgpack)
      },
      Workload("MessagePack encode from values", bytes: msgpack.count, against: write, factor: 80) {
        try value.transit(.msgpack)
      },
      Workload("Transcode MessagePack to JSON", bytes: msgpack.count, against: write, factor: 60) {
        try transcode(msgpack, from: .msgpack, to: .json)
      },
      Workload("Transcode JSON to MessagePack", bytes: json.count, against: write) {
        try transcode(json, from: .json, to: .msgpack)
      },
      Workload("Verbose decode to values", bytes: verbose.count, against: parse) {
        try TransitValue(transit: verbose, format: .verboseJSON)
      },
      Workload("Verbose encode from values", bytes: verbose.count, against: write) {
        try value.transit(.verboseJSON)
      },
    ]
    if wanted("Codable") { list += try codable(value, json) }
    if wanted("EDN") {
      let edn = value.description
      list.append(
        Workload("EDN print", bytes: edn.utf8.count, against: write, every: 3) { value.description })
      list.append(
        Workload("EDN parse", bytes: edn.utf8.count, against: parse, every: 3) { try TransitValue(edn: edn) })
    }
    return list.filter { only.isEmpty || $0.name.contains(only) }
  }

  private static func foundation(_ value: TransitValue) throws -> [Workload] {
    let plain = SampleData.plain(value)
    let data = try JSONSerialization.data(withJSONObject: plain)
    return [
      Workload(parse, bytes: data.count) { try JSONSerialization.jsonObject(with: data) },
      Workload(write, bytes: data.count, every: 2) { try JSONSerialization.data(withJSONObject: plain) },
    ]
  }

  private static func codable(_ value: TransitValue, _ json: [UInt8]) throws -> [Workload] {
    let todos = try TransitDecoder().decode([String: Todo].self, from: value)
    return [
      Workload("Codable decode from JSON", bytes: json.count, against: parse) {
        try TransitDecoder().decode([String: Todo].self, from: json, format: .json)
      },
      Workload("Codable decode from a value", bytes: json.count, against: parse) {
        try TransitDecoder().decode([String: Todo].self, from: value)
      },
      Workload("Codable encode to JSON", bytes: json.count, against: write) {
        try TransitEncoder().encode(todos, format: .json)
      },
      Workload("Codable encode to a value", bytes: json.count, against: write) {
        try TransitEncoder().encode(todos)
      },
    ]
  }
}
