import Testing
import Transit

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// One map of 10,000 documents, written by transit-java.
@Suite("Corpus", .enabled(if: Samples.hasCorpus, "the corpus is not beside the package"))
struct CorpusTests {
  private func bytes(_ format: TransitFormat) throws -> [UInt8] {
    try Samples.bytes(Samples.corpus.appending(path: "corpus.\(format.suffix)"))
  }

  @Test("The three files are one value")
  func equal() throws {
    let values = try TransitFormat.allCases.map { try TransitValue(transit: bytes($0), format: $0) }
    #expect(values[0].mapValue?.count == 10_000)
    #expect(values[0] == values[1])
    #expect(values[0] == values[2])
  }

  @Test("Writing gives the files byte for byte", arguments: TransitFormat.allCases)
  func identical(format: TransitFormat) throws {
    let original = try bytes(format)
    let value = try TransitValue(transit: original, format: format)
    #expect(try value.transit(format) == original)
  }

  @Test("Transcoding gives the files byte for byte", arguments: TransitFormat.allCases)
  func transcoded(source: TransitFormat) throws {
    let original = try bytes(source)
    for target in TransitFormat.allCases {
      #expect(try transcode(original, from: source, to: target) == bytes(target))
    }
  }
}
