/// The names of a store's tables.
struct PostgresTable: Sendable {
  static let defaultName = "atomsync"
  /// PostgreSQL's names have at most 63 bytes; ours adds up to 9.
  static let longestName = 48

  /// Lower-case letters, digits and underscores.
  let name: String

  /// `nil` for a name that would need escapes.
  init?(_ name: String) {
    let isPlain = name.utf8.allSatisfy { byte in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "_")
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
    guard isPlain, (1...Self.longestName).contains(name.utf8.count) else { return nil }
    self.name = name
  }

  /// Quoted, since a name may be a word of SQL's.
  var quoted: String { "\"\(name)\"" }
  /// The table of the last commit of each storage object.
  var quotedCommits: String { "\"\(name)_commits\"" }
  /// What others' commits are told at. By name, as the statements are: a table may be made anew underneath. One of that name
  /// in another schema costs a look now and then.
  var channel: String { "atomsync_\(name)" }
}
