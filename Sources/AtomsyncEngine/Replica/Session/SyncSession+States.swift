internal import AtomsyncCore

extension SyncSession {
  enum Link: Sendable {
    /// No server, or the application asked for quiet.
    case offline
    /// After a failure, until the timer.
    case waiting(timer: Int)
    case connected(Subscription)
    case stopped(StopReason)
  }

  /// How the replica hears of changes while it has nothing else to do.
  enum Subscription: Sendable {
    case none
    case polling(timer: Int)
    case live(Stream)
  }

  struct Stream: Sendable {
    let number: Int
    /// The place that the stream was asked to lead through: every page of it is beyond.
    let seen: Cursor?
    var isOpen = false
    /// It has held for long enough to count as a success.
    var isSteady = false
    /// A page that waits until no push is under way.
    var held: RemotePage?
    /// The timer that runs while it has not told of a push that was answered.
    var echo: Int?
  }

  enum Activity: Sendable {
    case idle
    case pulling(Exchange)
    /// A page was applied, and its rows are not durable yet; everything else waits.
    case saving(ticket: Int64, then: Next)
    /// A push was frozen; its row is not durable yet.
    case freezing(ticket: Int64)
    case pushing(Exchange)
  }

  /// A request whose answer is awaited.
  struct Exchange: Sendable {
    let number: Int
    /// Of a pull: where it began.
    var cursor: Cursor?
    var seen: Cursor?
    /// Something has passed since the deadline was set.
    var hasProgressed = false
  }

  /// What follows once a page is durable.
  enum Next: Sendable {
    case nothing
    /// Apply the page that was fetched meanwhile.
    case apply(RemotePage, seen: Cursor?)
    case readOn(stream: Int)
  }

  /// What is to be done next.
  enum Step: Sendable {
    /// Send the push in flight.
    case send
    case pull
    /// Apply a page of the live stream.
    case apply(RemotePage, stream: Stream)
    /// Freeze a push, if there is something to push.
    case freeze
  }

  /// What a timer's end has to be told as.
  enum Fired: Sendable {
    case nothing
    case pullTimedOut(request: Int)
    case pushTimedOut(request: Int)
    case openingTimedOut(stream: Int)
  }
}
