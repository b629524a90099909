internal import AtomsyncCore

/// Chooses how a request is read and how its answer is written, by media type.
struct Negotiation: Sendable {
  /// What an answer is written as.
  enum Answer: Sendable {
    case codec(any Codec)
    case eventStream
  }

  /// The default comes first.
  private let codecs: [(type: MediaType, codec: any Codec)]
  private let byExactName: [String: any Codec]
  private let eventStream: MediaType?
  let defaultCodec: any Codec

  /// - Parameter additional: codecs beside Transit's three; one with the media type of an earlier one is left out.
  init(additional: [any Codec] = []) {
    let standard: [any Codec] = [TransitCodec.transitJSON, .transitVerboseJSON, .transitMsgPack]
    var codecs: [(type: MediaType, codec: any Codec)] = []
    var byExactName: [String: any Codec] = [:]
    for codec in standard + additional {
      guard let type = MediaType(codec.mediaType), !codecs.contains(where: { $0.type == type }) else {
        continue
      }
      codecs.append((type, codec))
      byExactName[codec.mediaType] = codec
    }
    self.codecs = codecs
    self.byExactName = byExactName
    self.eventStream = MediaType("text/event-stream")
    self.defaultCodec = TransitCodec.transitJSON
  }

  /// The codec that reads a body; `nil` when none does.
  func reader(contentType: String?) -> (any Codec)? {
    guard let contentType else { return defaultCodec }
    guard Self.isPlain(contentType) else { return nil }
    if let codec = byExactName[contentType] { return codec }
    guard let type = MediaType(contentType) else { return nil }
    return codecs.first { $0.type.covers(type) && $0.type.parameters == type.parameters }?.codec
  }

  /// The best answer for the `Accept` header; `nil` when there is none.
  ///
  /// - Parameters:
  ///   - like: what the request itself was written in: the choice where the client has no preference.
  ///   - allowsEventStream: whether `text/event-stream` may be answered.
  func answer(accept: String?, like: (any Codec)? = nil, allowsEventStream: Bool = false) -> Answer? {
    guard let accept else { return .codec(like ?? defaultCodec) }
    guard Self.isPlain(accept) else { return nil }
    if let codec = byExactName[accept] { return .codec(codec) }
    if allowsEventStream && accept == "text/event-stream" { return .eventStream }
    let ranges = MediaType.list(accept)
    guard !ranges.isEmpty else { return .codec(like ?? defaultCodec) }

    var best: (score: Score, answer: Answer)?
    func consider(_ candidate: MediaType, _ answer: Answer, named: Bool = false) {
      guard let score = Score(of: candidate, in: ranges, named: named) else { return }
      if let best, best.score >= score { return }
      best = (score, answer)
    }
    let preferred = codecs.filter { $0.codec.mediaType == like?.mediaType }
    for (type, codec) in preferred + codecs { consider(type, .codec(codec)) }
    if allowsEventStream, let eventStream { consider(eventStream, .eventStream, named: true) }
    return best?.answer
  }
}

extension Negotiation {
  /// Whether a header is short and ASCII, as media types are. It is looked at before it is known who sent it, and text
  /// beyond ASCII takes Swift time that a hostile header can multiply.
  private static func isPlain(_ header: String) -> Bool {
    header.utf8.count <= 1024 && header.utf8.allSatisfy { $0 < 0x80 }
  }
}

/// How well a candidate suits an `Accept` header: by weight, then by how exactly it was named, then by place.
private struct Score: Comparable {
  let quality: Double
  let exactness: Int
  let place: Int

  /// - Parameter named: only a range that names the type counts, no `*`.
  init?(of candidate: MediaType, in ranges: [MediaType], named: Bool) {
    var match: (exactness: Int, place: Int, quality: Double)?
    for (place, range) in ranges.enumerated() where range.covers(candidate) {
      let isExact = range.type != "*" && range.subtype != "*"
      guard range.parameters == candidate.parameters, isExact || (!named && candidate.parameters.isEmpty)
      else { continue }
      let exactness = isExact ? 2 : range.type == "*" ? 0 : 1
      if let match, match.exactness >= exactness { continue }
      match = (exactness, place, range.quality)
    }
    guard let match, match.quality > 0 else { return nil }
    (exactness, place, quality) = (match.exactness, match.place, match.quality)
  }

  static func < (left: Score, right: Score) -> Bool {
    (left.quality, left.exactness, -left.place) < (right.quality, right.exactness, -right.place)
  }
}
