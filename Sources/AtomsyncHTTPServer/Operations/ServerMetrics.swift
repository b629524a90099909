internal import AtomsyncCore
internal import CoreMetrics
internal import HTTPTypes

/// What the endpoint tells swift-metrics. (Docs/Server.md, “Metrics”.)
struct ServerMetrics: Sendable {
  private struct Route: Hashable {
    var method: Method
    var status: Int
  }

  /// A client may invent methods, so that only these are told apart. Without raw values, which would be hashed as texts for each request.
  private enum Method {
    case get, post, options, other

    init(_ method: HTTPRequest.Method) {
      switch method {
      case .get: self = .get
      case .post: self = .post
      case .options: self = .options
      default: self = .other
      }
    }

    var name: String {
      switch self {
      case .get: "GET"
      case .post: "POST"
      case .options: "OPTIONS"
      case .other: "other"
      }
    }
  }

  private struct Meters {
    var requests: Counter
    var time: Timer
  }

  /// Kept by route, since the factory would have to look for them for each request.
  private let routes = Lock<[Route: Meters]>([:])
  private let accepted = Counter(label: "atomsync_documents_pushed", dimensions: [("verdict", "accepted")])
  private let conflicts = Counter(label: "atomsync_documents_pushed", dimensions: [("verdict", "stale")])
  private let rejected = Counter(label: "atomsync_documents_pushed", dimensions: [("verdict", "rejected")])
  private let pulled = Counter(label: "atomsync_documents_pulled")
  private let pushes = Meter(label: "atomsync_pushes_waiting")
  private let streams = Meter(label: "atomsync_live_streams")

  func answered(_ method: HTTPRequest.Method, _ status: HTTPResponse.Status, after duration: Duration) {
    let route = Route(method: Method(method), status: status.code)
    let meters = routes.withLock { routes in
      if let known = routes[route] { return known }
      let name = route.method.name
      let labels = [("method", name), ("status", "\(route.status)")]
      let made = Meters(
        requests: Counter(label: "atomsync_http_requests", dimensions: labels),
        time: Timer(label: "atomsync_http_request", dimensions: [("method", name)]))
      routes[route] = made
      return made
    }
    meters.requests.increment()
    let (seconds, attoseconds) = duration.components
    meters.time.recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
  }

  /// A push waits for its verdicts: for its turn, the commit and the disk.
  func pushTaken() { pushes.increment() }
  func pushAnswered() { pushes.decrement() }

  func pushed(_ answer: PushAnswer) {
    if !answer.accepted.isEmpty { accepted.increment(by: answer.accepted.count) }
    for rejection in answer.rejected {
      if rejection.reason == .stale { conflicts.increment() } else { rejected.increment() }
    }
  }

  func pulled(_ page: PullPage) { if !page.documents.isEmpty { pulled.increment(by: page.documents.count) } }

  func streamOpened() { streams.increment() }
  func streamClosed() { streams.decrement() }
}
