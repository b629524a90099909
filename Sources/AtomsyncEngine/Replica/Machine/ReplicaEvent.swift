package import AtomsyncCore
package import Foundation

/// Everything that can happen to a replica. (The table of states and events is in Docs/Replica.md.)
package enum ReplicaEvent: Sendable {
  /// There is a server, and the application wants to talk to it.
  case connect
  /// No more talking, until `connect`.
  case disconnect
  /// The end.
  case close
  /// Rows cannot be saved any more, ever.
  case storeLost
  /// Talk to the server now, and tell when everything is settled.
  case sync
  /// The rows of every ticket up to this one are durable.
  case saved(ticket: Int64)
  /// A part of a request or of its answer has passed.
  case progressed(request: Int)
  case pulled(request: Int, RemotePage)
  case pullFailed(request: Int, TransportError)
  case pushed(request: Int, RemoteAnswer)
  /// A new client id comes along, in case it is needed.
  case pushFailed(request: Int, TransportError, freshClient: UUID)
  case liveOpened(stream: Int)
  case livePage(stream: Int, RemotePage)
  case liveRevoked(stream: Int)
  /// Without an error: the server ended it in good order.
  case liveEnded(stream: Int, TransportError?)
  /// A wait is over.
  case timer(ReplicaTimer)
  /// The application's merge function answered.
  case merged(MergeTask, MergeResult)
  /// Read everything anew from the server.
  case resync(discardingPending: Bool)
  /// Forget a rejected edit.
  case discardRejection(Rejection)
  /// Count the atom's age, and forget the conflicts that have outlived the retention.
  case expire
}

/// A wait that a replica has begun. There is one of each kind at a time; a newer one takes the place of an earlier.
package struct ReplicaTimer: Hashable, Sendable {
  package enum Kind: Hashable, Sendable, CaseIterable {
    /// After a failure, until the server is tried again.
    case retry
    /// After the server has refused a push, until the next is tried.
    case refusal
    /// Until the server is asked again that has no live stream.
    case poll
    /// How long a request may go on without progress.
    case deadline
    /// How long a live stream may take to open.
    case opening
    /// How long a live stream has to hold to count as a success.
    case steady
    /// How long a live stream may take to tell of a push that was answered.
    case echo
  }

  package var kind: Kind
  /// Tells it from earlier ones, which are void.
  package var number: Int

  package init(_ kind: Kind, _ number: Int) {
    self.kind = kind
    self.number = number
  }
}

/// How long a wait is to be.
package enum ReplicaWait: Hashable, Sendable {
  /// The backoff after so many failures in a row, and no shorter than the server asked for.
  case backoff(attempt: Int, retryAfter: Duration?)
  case poll
  /// The time that a request may go without progress, doubled so often.
  case deadline(doublings: Int)
  case steady
}

/// A page with its values decoded.
package struct RemotePage: Sendable {
  package struct Item: Sendable {
    package var id: String
    var version: Int64
    var updated: Int64
    package var value: StoredValue?
    /// The seal that the value came in; `nil` when it was none.
    var seal: Seal?
    /// What the document may have been called here while it could not be opened, and its id was not known.
    var unopenedID: String?

    /// - Throws: `TransitError` when the value cannot be decoded, `TransportError` (`malformedAnswer`) for an id or a version
    ///   that is not valid: what is taken from a message is stored together with everything else that waits.
    init(_ document: Document) throws {
      guard (1...Names.maximumIDLength).contains(document.id.utf8.count),
        Int64.counts.contains(document.version)
      else {
        throw TransportError(
          .malformedAnswer, "The server's answer has a document whose id or version is not valid.")
      }
      id = document.id
      version = document.version
      updated = document.updated
      value = try document.content.payload.map { try StoredValue($0) }
    }
  }

  var items: [Item]
  var store: UUID?
  var cursor: Cursor
  var hasMore: Bool
  var isReset: Bool
  var user: String?

  /// A page, and what its documents are here.
  init(_ page: PullPage, items: [Item]) {
    self.items = items
    store = page.store
    cursor = page.cursor
    hasMore = page.hasMore
    isReset = page.isReset
    user = page.user
  }
}

/// The answer to a push, with its values decoded.
package struct RemoteAnswer: Sendable {
  package var accepted: [PushAnswer.Acceptance]
  package var rejected: [PushAnswer.Rejection]
  var seen: Cursor?
  var isReset: Bool
  /// What the server has in place of what it rejected as stale, by document; not what cannot be decoded.
  var current: [String: RemotePage.Item] = [:]
  /// The seals of what was sent, by document.
  var seals: [String: Seal] = [:]

  /// - Parameter open: what a document of the server's is here; `nil` for one that cannot be decoded.
  package init(
    _ answer: PushAnswer, open: (Document) -> RemotePage.Item? = { try? RemotePage.Item($0) }
  ) {
    accepted = answer.accepted
    rejected = answer.rejected
    seen = answer.seen
    isReset = answer.isReset
    for rejection in answer.rejected { current[rejection.id] = rejection.current.flatMap(open) }
  }
}

extension RemoteAnswer: CustomStringConvertible {
  /// By the order of ids, so that a simulation's history reads the same each time.
  package var description: String {
    func sorted<Value>(_ values: [String: Value]) -> [(key: String, value: Value)] {
      values.sorted { $0.key < $1.key }
    }
    return "accepted \(accepted), rejected \(rejected), seen \(seen?.text ?? "-"), isReset \(isReset), "
      + "current \(sorted(current)), seals \(sorted(seals))"
  }
}

/// A conflict that the application decides.
package struct MergeTask: Sendable, Equatable {
  package var input: MergeInput
  /// The first and the last local edit that the input contains: it is out of date when there is a newer one.
  package var firstEdit: Int64
  package var edit: Int64
  /// The version of the remote document, for the same reason.
  package var remoteVersion: Int64

  package init(input: MergeInput, firstEdit: Int64, edit: Int64, remoteVersion: Int64) {
    self.input = input
    self.firstEdit = firstEdit
    self.edit = edit
    self.remoteVersion = remoteVersion
  }
}

package enum MergeResult: Sendable {
  case value(StoredValue?)
  case failed(String)
}
