internal import AtomsyncCore
package import HTTPTypes
package import NIOCore

/// A request as the endpoint sees it, whatever it came by.
package final class EndpointRequest: Sendable {
  package enum Body: Sendable {
    /// All of it has come.
    case whole(ByteBuffer)
    /// It comes piece by piece; to read one is to let more of it come. The pieces end with an error when the body broke off.
    case pieces(any AsyncSequence<ByteBuffer, any Error> & Sendable)
  }

  package let head: HTTPRequest
  private let body: Lock<Body?>
  let peer: Peer
  /// What the target names, without the query, as it was sent.
  let path: Substring
  /// What follows the path, as it was sent; empty without one.
  let query: Substring

  init(_ head: HTTPRequest, body: Body, from peer: Peer) {
    self.head = head
    self.body = Lock(body)
    self.peer = peer
    (path, query) = Self.target(of: head)
  }

  /// - Parameter address: whom the request comes from. Without it, limits by address do not hold.
  package convenience init(_ head: HTTPRequest, body: Body, address: String?) {
    self.init(head, body: body, from: Peer(address: address))
  }

  /// Hands the body over; a second call gets an empty one. The request does not keep it, because it lives until its answer, or its live stream, ends.
  package func takeBody() -> Body {
    body.withLock { body in
      defer { body = nil }
      return body ?? .whole(ByteBuffer())
    }
  }

  /// Whether it is for a path. By bytes: to compare text as Swift does takes time that a hostile path can multiply.
  package func isFor(_ path: String) -> Bool { self.path.utf8.elementsEqual(path.utf8) }

  /// By bytes, since nobody knows yet who sent it. A client may name the whole URL (RFC 9112 §3.2.2).
  private static func target(of head: HTTPRequest) -> (path: Substring, query: Substring) {
    guard var rest = head.path?[...] else { return ("", "") }
    for scheme in ["http://", "https://"] where rest.utf8.starts(with: scheme.utf8) {
      let afterHost = rest.utf8.dropFirst(scheme.utf8.count).drop { $0 != UInt8(ascii: "/") }
      rest = rest[afterHost.startIndex...]
    }
    guard let mark = rest.utf8.firstIndex(of: UInt8(ascii: "?")) else { return (rest, "") }
    return (rest[..<mark], rest[mark...].dropFirst())
  }
}
