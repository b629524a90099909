internal import AsyncHTTPClient
internal import AtomsyncCore
internal import AtomsyncHTTPServer
internal import Foundation
internal import NIOCore
internal import NIOHTTP1

/// Where a set of keys is (JSON Web Key Set, RFC 7517).
public struct JWTKeySource: Sendable, CustomStringConvertible {
  enum Place: Sendable {
    case file(String)
    case url(String)
  }

  let place: Place

  /// A file of the form `{"keys": […]}`. A key for HS256 is `{"kty": "oct", "k": "…"}`, with 32 bytes or more.
  public static func file(_ path: String) -> JWTKeySource { JWTKeySource(place: .file(path)) }

  /// An HTTPS URL, such as an identity provider's `jwks_uri`; plain HTTP on this machine only.
  ///
  /// - Throws: ``JWTKeyError`` when it is neither.
  public static func url(_ text: String) throws(JWTKeyError) -> JWTKeySource {
    let url = URL(string: text)
    let isLocal = Loopback.isAddress(url?.host() ?? "")
    guard url?.scheme == "https" || (url?.scheme == "http" && isLocal) else {
      throw JWTKeyError(
        "The keys must come from a URL that begins with https://, so that nobody on the way can change them; it is “\(text)”."
      )
    }
    return JWTKeySource(place: .url(text))
  }

  /// The path or the URL.
  public var description: String {
    switch place {
    case .file(let path): path
    case .url(let text): text
    }
  }

  private static let maximumBytes = 1 << 20
  private static let timeout = TimeAmount.seconds(10)

  func read() async throws(JWTKeyError) -> [UInt8] {
    do {
      switch place {
      case .file(let path): return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
      case .url(let text):
        let answer = try await HTTPClient.shared.execute(HTTPClientRequest(url: text), timeout: Self.timeout)
        guard (200...299).contains(answer.status.code) else {
          throw JWTKeyError("The keys at \(text) cannot be read: HTTP status \(answer.status.code).")
        }
        return Array(buffer: try await answer.body.collect(upTo: Self.maximumBytes))
      }
    } catch let error as JWTKeyError {
      throw error
    } catch {
      throw JWTKeyError("The keys at \(self) cannot be read. (\(error))")
    }
  }
}

/// Why keys cannot be used.
public struct JWTKeyError: Error, Sendable, CustomStringConvertible {
  /// What is wrong, in one line for people. Never a key.
  public var message: String

  init(_ message: String) { self.message = message }

  /// The message.
  public var description: String { message }
}
