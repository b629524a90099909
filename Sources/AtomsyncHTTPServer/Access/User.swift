internal import Crypto
public import Foundation

/// Somebody who may come in, and what they may do.
public struct User: Sendable, Hashable {
  /// What a user may do in the groups that are theirs.
  public enum Access: String, Sendable, Hashable, CaseIterable {
    /// `read`: to pull and to follow. `write`: to push as well.
    case read, write
  }

  /// The user's name. When it has more than 128 bytes of UTF-8, the user's pushes are refused.
  public var name: String
  /// Exact names, or a prefix followed by `*`. `*` alone is every group.
  public var groups: [String]
  /// Whether the user may write, or only read.
  public var access: Access
  /// When what an ``Authenticator`` has said of the user is void: a live stream ends then. `nil` for never.
  public var expires: Date?
  /// The SHA-256 digest of the token. The token itself is not kept. Empty for a user whom an ``Authenticator`` knows.
  let tokenDigest: [UInt8]

  /// Somebody who shows this token. Of the token, only its SHA-256 digest is kept.
  public init(_ name: String, token: String, groups: [String], access: Access = .write) {
    self.init(name, tokenDigest: Array(SHA256.hash(data: Array(token.utf8))), groups: groups, access: access)
  }

  /// Somebody whom an ``Authenticator`` knows, by no token of ours.
  public init(_ name: String, groups: [String], access: Access = .write, expires: Date? = nil) {
    self.init(name, tokenDigest: [], groups: groups, access: access)
    self.expires = expires
  }

  init(_ name: String, tokenDigest: [UInt8], groups: [String], access: Access) {
    self.name = name
    self.tokenDigest = tokenDigest
    self.groups = groups
    self.access = access
  }

  /// Whether a text can be one of ``groups``: not empty, and without a `*` but at the end.
  package static func isPattern(_ text: String) -> Bool {
    !text.isEmpty && !text.utf8.dropLast().contains(UInt8(ascii: "*"))
  }

  /// Whether the user may read `group`; writing takes ``access`` as well.
  public func includes(group: String) -> Bool {
    groups.contains { pattern in
      pattern.hasSuffix("*")
        ? group.utf8.starts(with: pattern.utf8.dropLast()) : pattern.utf8.elementsEqual(group.utf8)
    }
  }
}
