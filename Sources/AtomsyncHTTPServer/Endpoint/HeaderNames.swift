internal import HTTPTypes

// Constants that are valid field names, so that the force is never felt.
extension HTTPField.Name {
  static let atomsyncProtocol = HTTPField.Name("Atomsync-Protocol")!
  static let requestID = HTTPField.Name("X-Request-ID")!
  static let secFetchSite = HTTPField.Name("Sec-Fetch-Site")!
  static let lastEventID = HTTPField.Name("Last-Event-ID")!
  /// Tells nginx to pass events on as they come.
  static let acceptBuffering = HTTPField.Name("X-Accel-Buffering")!
}
