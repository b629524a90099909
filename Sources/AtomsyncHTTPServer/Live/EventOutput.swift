/// Where a live stream's bytes go.
package protocol EventOutput: Sendable {
  /// Returns once the connection has taken the frame, as far as that can be known, which is when its reader does.
  func write(_ frame: EventFrame) async throws

  /// Writes a frame that goes out with the next one, or by itself a moment later. Where each goes out by itself, it does.
  func writeSoon(_ frame: EventFrame) async throws

  /// Closes the connection, so that a ``write(_:)`` that waits for its reader fails.
  func breakOff()
}

extension EventOutput {
  package func writeSoon(_ frame: EventFrame) async throws { try await write(frame) }
}
