/// One event of a `text/event-stream`.
struct ServerSentEvent: Equatable {
  /// The last id that the stream named, up to this event.
  var id: String?
  var name: String
  /// The data lines, joined by line feeds.
  var data: [UInt8]
}
