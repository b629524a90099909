internal import AtomsyncCore
internal import Foundation

/// What a storage object tells the others of its commits, by `NOTIFY`.
enum PostgresNotification {
  /// A notification has less than 8,000 bytes.
  private static let longest = 7_900

  /// Who tells, and the topics in Base64, since the database may have any encoding; without topics: anything.
  static func text(from storage: String, topics: Set<String>?) -> String {
    let words = topics.map { $0.map { Data($0.utf8).base64EncodedString() } } ?? []
    let text = ([storage] + words).joined(separator: " ")
    return text.utf8.count <= longest ? text : storage
  }

  /// `nil`: it is the storage object's own.
  static func commit(_ text: String, toldTo storage: String) -> ForeignCommit? {
    let words = text.split(separator: " ")
    if words.first.map(String.init) == storage { return nil }
    let topics = words.dropFirst().compactMap { Data(base64Encoded: String($0)) }
      .map { String(decoding: $0, as: UTF8.self) }
    return ForeignCommit(topics: topics.isEmpty ? nil : Set(topics))
  }
}
