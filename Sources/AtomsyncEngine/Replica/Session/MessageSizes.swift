/// How large pages and pushes are, and how long they may take, as the way to the server has shown: they shrink until
/// they get through, and grow again.
struct MessageSizes: Sendable {
  private var pageDocuments: AdaptiveLimit
  private var pushDocuments: AdaptiveLimit
  private var pushBytes: AdaptiveLimit
  private var pushTimeouts = 0
  /// How often the time that a pull may go without progress is doubled.
  private(set) var pullPatience = 0
  /// The same for a push.
  private(set) var pushPatience = 0

  /// So many timeouts of one push in a row, and it is taken apart.
  private static let timeoutsBeforeShrinking = 2
  /// 2^6 × 60 s: about an hour.
  private static let mostDoublings = 6

  init(pageDocuments: Int, pushDocuments: Int, pushBytes: Int) {
    self.pageDocuments = AdaptiveLimit(pageDocuments)
    self.pushDocuments = AdaptiveLimit(pushDocuments)
    self.pushBytes = AdaptiveLimit(pushBytes)
  }

  /// The most documents to ask for; `nil` for the server's default.
  var page: Int? { pageDocuments.isWhole ? nil : pageDocuments.value }
  /// The most that a push may hold.
  var push: (documents: Int, bytes: Int) { (pushDocuments.value, pushBytes.value) }

  /// A page of so many documents has come.
  mutating func pulled(_ documents: Int) {
    if pageDocuments.isWhole { pullPatience = max(0, pullPatience - 1) }
    pageDocuments.succeed(at: documents)
  }

  mutating func pullTimedOut() {
    if pageDocuments.value > 1 {
      pageDocuments.shrink(below: pageDocuments.value)
    } else {
      pullPatience = min(pullPatience + 1, Self.mostDoublings)
    }
  }

  /// A push of this size was answered.
  mutating func pushed(_ size: PushSize) {
    pushTimeouts = 0
    if pushDocuments.isWhole && pushBytes.isWhole { pushPatience = max(0, pushPatience - 1) }
    pushDocuments.succeed(at: size.documents)
    pushBytes.succeed(at: size.bytes)
  }

  /// Returns whether the push is to be taken apart.
  mutating func pushTimedOut(_ size: PushSize) -> Bool {
    pushTimeouts += 1
    guard pushTimeouts >= Self.timeoutsBeforeShrinking else { return false }
    if size.isWhole {
      pushPatience = min(pushPatience + 1, Self.mostDoublings)
      return false
    }
    shrink(below: size)
    return true
  }

  /// A push of this size did not get through.
  mutating func shrink(below size: PushSize) {
    pushTimeouts = 0
    pushDocuments.shrink(below: size.documents)
    pushBytes.shrink(below: size.bytes)
  }
}

/// How large a push is.
struct PushSize: Sendable {
  var documents: Int
  var bytes: Int
  /// It cannot be taken apart: an atomic one, or one of a single document.
  var isWhole: Bool
}
