internal import AtomsyncCore
internal import Foundation
internal import Transit

/// What is sealed of a document: its value, and what a server must not change about it.
struct SealedDocument {
  /// The version that the value was made on; 0 for a document that is created.
  var madeOn: Int64
  /// Tells the document from an earlier one of the same id: see ``Seal/lineage``. 0 in the value that creates it.
  var lineage: UInt64
  /// The document's id, if the server is not told it.
  var id = ""
  var payload: Payload

  init(madeOn: Int64, lineage: UInt64, id: String, payload: Payload) {
    self.madeOn = madeOn
    self.lineage = lineage
    self.id = id
    self.payload = payload
  }

  init(frame: [UInt8]) throws(CipherError) {
    var reader = FrameReader(frame)
    madeOn = try reader.number(Int64.self)
    lineage = try reader.number(UInt64.self)
    id = try reader.text()
    guard Int64.counts.contains(madeOn) else { throw .damaged }
    payload = Payload(bytes: try reader.content())
  }

  var frame: [UInt8] {
    var writer = FrameWriter(reserving: payload.bytes.count + id.utf8.count + 22)
    writer.write(madeOn)
    writer.write(lineage)
    writer.write(id)
    writer.write(payload.bytes)
    return writer.padded
  }
}

/// `#sealed [1 "key" "bytes"]`: how a sealed value looks to a server. The bytes are in base64, as text, so that a codec has
/// nothing to do with them. (Docs/Protocol.md §12.)
enum SealedForm {
  private static let tag = "sealed"
  private static let format: Int64 = 1

  static func payload(_ sealed: SealedBytes) throws -> Payload {
    let parts: [TransitValue] = [
      .int(format), .string(sealed.key.description), .string(Data(sealed.bytes).base64EncodedString()),
    ]
    return Payload(bytes: try TransitValue.tagged(tag, .array(parts)).transit(.msgpack))
  }

  /// The parts of a sealed value; `nil` for a value that is not sealed.
  ///
  /// - Throws: `damaged` for one that says that it is, and is of no format that is known here.
  static func parts(_ value: TransitValue) throws(CipherError) -> SealedBytes? {
    guard case .tagged(let tagged) = value, tagged.tag == tag else { return nil }
    guard case .array(let parts) = tagged.rep, parts.count == 3, parts[0] == .int(format),
      case .string(let key) = parts[1], let key = KeyID(key), case .string(let text) = parts[2],
      let bytes = Data(base64Encoded: text)
    else { throw .damaged }
    return SealedBytes(key: key, bytes: Array(bytes))
  }
}
