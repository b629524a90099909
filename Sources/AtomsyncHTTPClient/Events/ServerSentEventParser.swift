/// Reads a `text/event-stream` in chunks of any size.
///
/// As browsers do: lines end with LF, CR or CRLF; a leading byte order mark is skipped; a line that begins with a
/// colon is a comment; several data lines are joined; an event without data is none; what the stream ends inside of
/// is dropped.
struct ServerSentEventParser {
  /// An event is larger than the limit.
  struct TooLarge: Error {}

  private let limit: Int
  private var line: [UInt8] = []
  private var endedWithCarriageReturn = false
  private var isFirstLine = true
  private var id: String?
  /// After how long the server wants to be connected to again, if it has said so.
  private(set) var retry: Duration?
  private var name: String?
  private var data: [UInt8]?

  /// A day, in milliseconds. A longer time is not what anybody means.
  private static let longestRetry = 24 * 3600 * 1000

  /// - Parameter limit: the most bytes of one event.
  init(limit: Int) { self.limit = limit }

  /// Takes a chunk and hands out the events that it completes.
  mutating func feed(_ chunk: some Collection<UInt8>) throws(TooLarge) -> [ServerSentEvent] {
    var events: [ServerSentEvent] = []
    var rest = chunk[...]
    if endedWithCarriageReturn, let first = rest.first {
      endedWithCarriageReturn = false
      if first == UInt8(ascii: "\n") { rest = rest.dropFirst() }
    }
    while let end = rest.firstIndex(where: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
      try take(rest[..<end])
      if let event = finishLine() { events.append(event) }
      let isCarriageReturn = rest[end] == UInt8(ascii: "\r")
      rest = rest[rest.index(after: end)...]
      guard isCarriageReturn else { continue }
      if let next = rest.first {
        if next == UInt8(ascii: "\n") { rest = rest.dropFirst() }
      } else {
        endedWithCarriageReturn = true
      }
    }
    try take(rest)
    return events
  }

  private mutating func take(_ bytes: some Collection<UInt8>) throws(TooLarge) {
    guard line.count + bytes.count + (data?.count ?? 0) <= limit else { throw TooLarge() }
    line.append(contentsOf: bytes)
  }

  private mutating func finishLine() -> ServerSentEvent? {
    defer { line.removeAll(keepingCapacity: true) }
    var line = line[...]
    if isFirstLine {
      isFirstLine = false
      if line.starts(with: [0xEF, 0xBB, 0xBF]) { line = line.dropFirst(3) }
    }
    if line.isEmpty { return finishEvent() }
    let colon = line.firstIndex(of: UInt8(ascii: ":"))
    let field = line[..<(colon ?? line.endIndex)]
    var value = colon.map { line[line.index(after: $0)...] } ?? []
    if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
    if field.elementsEqual("data".utf8) {
      if data == nil {
        data = Array(value)
      } else {
        data?.append(UInt8(ascii: "\n"))
        data?.append(contentsOf: value)
      }
    } else if field.elementsEqual("event".utf8) {
      name = String(decoding: value, as: UTF8.self)
    } else if field.elementsEqual("retry".utf8) {
      if let number = Int(String(decoding: value, as: UTF8.self)), (0...Self.longestRetry).contains(number) {
        retry = .milliseconds(number)
      }
    } else if field.elementsEqual("id".utf8), !value.contains(0) {
      id = String(decoding: value, as: UTF8.self)
    }
    return nil
  }

  private mutating func finishEvent() -> ServerSentEvent? {
    defer { (name, data) = (nil, nil) }
    guard let data else { return nil }
    return ServerSentEvent(id: id, name: name ?? "message", data: data)
  }
}
