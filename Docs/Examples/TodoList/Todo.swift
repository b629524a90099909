import Foundation

/// One entry of the list.
struct Todo: Codable, Sendable, Equatable {
  var text: String
  var isDone = false
  var created = Date()
}
