import Testing
import Transit

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The exemplars of transit-format: 67 values, each in three encodings and as EDN.
@Suite("Exemplars", .enabled(if: Samples.hasExemplars, "the exemplars are not beside the package"))
struct ExemplarTests {
  /// Not reproduced byte for byte: sets, and maps under a cmap, follow the hash order of who wrote them.
  static let unordered: Set<String> = []

  /// EDN that prints objects of the host, or that is not a value.
  static let withoutEDN: Set<String> = ["uris", "one_uri", "maps_unrecognized_keys"]

  @Test("All encodings of an exemplar are one value", arguments: Samples.exemplarNames)
  func equalAcrossEncodings(name: String) throws {
    let json = try TransitValue(transit: Samples.exemplar(name, "json"), format: .json)
    let verbose = try TransitValue(transit: Samples.exemplar(name, "verbose.json"), format: .verboseJSON)
    let msgpack = try TransitValue(transit: Samples.exemplar(name, "mp"), format: .msgpack)
    #expect(json == verbose)
    #expect(json == msgpack)
    if !Self.withoutEDN.contains(name) {
      #expect(try json == TransitValue(edn: text(Samples.exemplar(name, "edn"))))
    }
    #expect(try TransitValue(edn: json.description) == json)
  }

  @Test("Writing an exemplar gives its bytes", arguments: Samples.exemplarNames)
  func byteIdentical(name: String) throws {
    for format in TransitFormat.allCases {
      let bytes = try Samples.exemplar(name, format.suffix)
      let value = try TransitValue(transit: bytes, format: format)
      let written = try value.transit(format)
      if Self.unordered.contains(name) {
        #expect(try TransitValue(transit: written, format: format) == value)
      } else {
        #expect(text(written) == text(bytes), "\(name).\(format.suffix)")
      }
    }
  }

  @Test("Transcoding an exemplar gives the bytes of the other encodings", arguments: Samples.exemplarNames)
  func transcoded(name: String) throws {
    for source in TransitFormat.allCases {
      let bytes = try Samples.exemplar(name, source.suffix)
      let value = try TransitValue(transit: bytes, format: source)
      for target in TransitFormat.allCases {
        #expect(try transcode(bytes, from: source, to: target) == value.transit(target))
      }
    }
  }

  @Test("The larger example reads in both JSON encodings")
  func largerExample() throws {
    let folder = Samples.exemplars.appending(path: "examples/0.8")
    let json = try TransitValue(transit: Samples.bytes(folder.appending(path: "example.json")), format: .json)
    let verbose = try TransitValue(
      transit: Samples.bytes(folder.appending(path: "example.verbose.json")), format: .verboseJSON)
    #expect(json == verbose)
  }
}
