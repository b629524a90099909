internal import Crypto

/// Somebody who may come in, and what they may do.
public struct User: Sendable, Hashable {
  public enum Access: String, Sendable, Hashable, CaseIterable {
    case read, write
  }

  public var name: String
  /// Exact names, or a prefix followed by `*`. `*` alone is every group.
  public var groups: [String]
  public var access: Access
  /// The SHA-256 digest of the token. The token itself is not kept.
  let tokenDigest: [UInt8]

  public init(_ name: String, token: String, groups: [String], access: Access = .write) {
    self.init(name, tokenDigest: Array(SHA256.hash(data: Array(token.utf8))), groups: groups, access: access)
  }

  init(_ name: String, tokenDigest: [UInt8], groups: [String], access: Access) {
    self.name = name
    self.tokenDigest = tokenDigest
    self.groups = groups
    self.access = access
  }

  /// Whether the user may read `group`; writing takes ``access`` as well.
  public func includes(group: String) -> Bool {
    groups.contains { pattern in
      pattern.hasSuffix("*")
        ? group.utf8.starts(with: pattern.utf8.dropLast()) : pattern.utf8.elementsEqual(group.utf8)
    }
  }
}
