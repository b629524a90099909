internal import Crypto
internal import Foundation

/// Everybody who may come in, by bearer token.
///
/// As a file, it is JSON:
/// ```json
/// {"alice": {"token": "abc123", "groups": ["todo", "team:*"], "access": "write"},
///  "bob":   {"tokenSHA256": "9f86d081…", "groups": ["todo"], "access": "read"}}
/// ```
/// `access` is `write` unless it says `read`. A file that cannot be understood to the last field is refused whole:
/// a guess would let somebody in, or lock somebody out.
public struct Users: Sendable, Hashable {
  /// The users in the order given; those of a file in the order of their names.
  public let users: [User]
  private let byName: [String: Int]
  /// By the digest of the token: to look one up tells nothing of the others, since nobody can choose a digest.
  private let byDigest: [[UInt8]: Int]

  /// - Throws: ``UsersError`` when two users share a name or a token, or a group pattern cannot be.
  public init(_ users: [User]) throws(UsersError) {
    var (byName, byDigest): ([String: Int], [[UInt8]: Int]) = ([:], [:])
    for (index, user) in users.enumerated() {
      try Self.check(user)
      if byName.updateValue(index, forKey: user.name) != nil {
        throw UsersError("The user “\(user.name)” is there twice.")
      }
      if let other = byDigest.updateValue(index, forKey: user.tokenDigest) {
        throw UsersError("The users “\(users[other].name)” and “\(user.name)” have the same token.")
      }
    }
    self.users = users
    self.byName = byName
    self.byDigest = byDigest
  }

  /// - Throws: ``UsersError`` when the file cannot be read or understood.
  public init(contentsOf path: String) throws(UsersError) {
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      throw UsersError("The users file \(path) cannot be read: \(Self.reason(error))")
    }
    do {
      try self.init(json: Array(data))
    } catch {
      throw UsersError("The users file \(path) is not valid: \(error.message)")
    }
  }

  /// - Throws: ``UsersError`` when the bytes are not the JSON that is expected.
  public init(json: [UInt8]) throws(UsersError) {
    let root: Any
    do { root = try JSONSerialization.jsonObject(with: Data(json)) } catch {
      throw UsersError("It is not JSON.")
    }
    // Foundation reads UTF-16 and UTF-32 as well, in which `JSONNames` finds nothing.
    if json.contains(0) { throw UsersError("It is not JSON in UTF-8.") }
    if let name = JSONNames.repeated(in: json) {
      throw UsersError("“\(name)” stands twice in one object. Remove one of the two.")
    }
    guard let entries = root as? [String: Any] else {
      throw UsersError("It must be an object of users by name.")
    }
    var users: [User] = []
    for (name, entry) in entries.sorted(by: { $0.key < $1.key }) {
      guard let fields = entry as? [String: Any] else {
        throw UsersError("The user “\(name)” must be an object.")
      }
      users.append(try Self.user(name, fields))
    }
    try self.init(users)
  }

  /// The user that a token belongs to. O(1)
  public func user(token: String) -> User? {
    byDigest[Array(SHA256.hash(data: Array(token.utf8)))].map { users[$0] }
  }

  func user(named name: String) -> User? { byName[name].map { users[$0] } }

  // MARK: Parts

  private static func user(_ name: String, _ fields: [String: Any]) throws(UsersError) -> User {
    for field in fields.keys.sorted() where !["token", "tokenSHA256", "groups", "access"].contains(field) {
      throw UsersError("The user “\(name)” has the unknown field “\(field)”.")
    }
    guard let groups = fields["groups"] as? [String] else {
      throw UsersError("The user “\(name)” needs “groups”, an array of names.")
    }
    var access = User.Access.write
    if let text = fields["access"] {
      guard let known = (text as? String).flatMap(User.Access.init(rawValue:)) else {
        throw UsersError("The user “\(name)” has an “access” that is neither “read” nor “write”.")
      }
      access = known
    }
    switch (fields["token"], fields["tokenSHA256"]) {
    case (let token?, nil):
      guard let token = token as? String, !token.isEmpty else {
        throw UsersError("The user “\(name)” has a “token” that is not a text, or empty.")
      }
      return User(name, token: token, groups: groups, access: access)
    case (nil, let digest?):
      guard let digest = (digest as? String).flatMap(bytes(hexadecimal:)), digest.count == 32 else {
        throw UsersError("The user “\(name)” has a “tokenSHA256” that is not 64 hexadecimal digits.")
      }
      return User(name, tokenDigest: digest, groups: groups, access: access)
    default:
      throw UsersError("The user “\(name)” needs either “token” or “tokenSHA256”.")
    }
  }

  private static func check(_ user: User) throws(UsersError) {
    if user.name.isEmpty { throw UsersError("A user has no name.") }
    if user.tokenDigest.isEmpty { throw UsersError("The user “\(user.name)” has no token.") }
    if user.groups.isEmpty { throw UsersError("The user “\(user.name)” has no groups.") }
    for pattern in user.groups where !User.isPattern(pattern) {
      throw UsersError("The user “\(user.name)” has the group “\(pattern)”; a * may only stand at the end.")
    }
  }

  private static func bytes(hexadecimal text: String) -> [UInt8]? {
    let digits = text.utf8.compactMap { UInt8(String(UnicodeScalar($0)), radix: 16) }
    guard digits.count == text.utf8.count, digits.count.isMultiple(of: 2) else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  private static func reason(_ error: any Error) -> String {
    switch (error as? CocoaError)?.code {
    case .fileReadNoSuchFile?, .fileNoSuchFile?: "there is no such file."
    case .fileReadNoPermission?: "it may not be read."
    default: error.localizedDescription
    }
  }
}

/// Why users were refused.
public struct UsersError: Error, Sendable, CustomStringConvertible {
  /// What is wrong, for people. Names the user, never a token.
  public var message: String

  init(_ message: String) { self.message = message }

  /// The message.
  public var description: String { message }
}
