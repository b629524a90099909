internal import HTTPTypes

/// The methods that a URL answers.
struct AllowedMethods: Sendable {
  let list: [HTTPRequest.Method]
  /// For people.
  let explanation: String

  /// As `Allow` has them (RFC 9110 §10.2.1).
  var header: String { list.map(\.rawValue).joined(separator: ", ") }

  static let sync = AllowedMethods(
    list: [.get, .post], explanation: "This URL answers GET (pull and live) and POST (push).")
  static let inquiry = AllowedMethods(list: [.get], explanation: "This URL answers GET.")
}
