internal import AtomsyncCore
internal import AtomsyncEngine
internal import Foundation

// Pulls and pushes on their way, and at an authority.

extension Simulation {
  // MARK: On the way

  mutating func sendPull(_ number: Int, _ request: Int, _ message: PullRequest) {
    let sender = sender(number)
    if isLost(isRead: true, failing: { .pullEnds(sender, request: request, .failure($0)) }) { return }
    let authority = Int.random(in: authorities.indices, using: &random)
    timeline.schedule(
      .pullArrives(sender, authority: authority, request: request, message), after: delay())
  }

  /// A push may also arrive twice, much later, or arrive without its answer coming back.
  mutating func sendPush(_ number: Int, _ request: Int, _ message: PushRequest) {
    let sender = sender(number)
    let link = devices[replicas[number].device].link
    let size = Self.size(of: message)
    if let limit = link.bodyLimit, size > limit, !message.isAtomic {
      timeline.schedule(
        .pushEnds(sender, request: request, .failure(TransportError(.oversized, "a proxy's 413"))),
        after: delay())
      return
    }
    if isLost(isRead: false, failing: { .pushEnds(sender, request: request, .failure($0)) }) { return }
    let authority = Int.random(in: authorities.indices, using: &random)
    timeline.schedule(
      .pushArrives(
        sender, authority: authority, request: request, message, isAnswered: !(isHostile && random.oneIn(5))),
      after: transfer(size, link, of: number, request))
    if isHostile && random.oneIn(8) {
      let other = Int.random(in: authorities.indices, using: &random)
      timeline.schedule(
        .pushArrives(sender, authority: other, request: request, message, isAnswered: false),
        after: delay() * (random.oneIn(3) ? 20 : 3))
    }
  }

  /// How long bytes take on a link. What passes shows, unless something buffers it.
  private mutating func transfer(
    _ bytes: Int, _ link: SimulatedLink, of number: Int, _ request: Int
  ) -> Int64 {
    guard let rate = link.rate else { return delay() }
    let time = Int64(bytes) / rate + delay()
    if link.showsProgress {
      for moment in stride(from: 15, to: time, by: 30) {
        timeline.schedule(.progress(number, life: life(of: number), request: request), after: moment)
      }
    }
    return time
  }

  /// Whether a request is lost: refused at once, or swallowed, which only a deadline tells.
  mutating func isLost(isRead: Bool, failing: (TransportError) -> Event) -> Bool {
    guard isHostile, random.oneIn(7) else { return false }
    let error: TransportError
    switch Int.random(in: 0..<5, using: &random) {
    case 0: error = TransportError(.unreachable, "refused")
    case 1: return true
    case 2: error = TransportError(.unavailable, "503", retryAfter: .milliseconds(30))
    case 3: error = TransportError(.unauthorized, "401")
    default: error = TransportError(.malformedAnswer, "garbage")
    }
    timeline.schedule(failing(error), after: 2)
    return true
  }

  /// A message as it comes out at the other end.
  func coded<Message: WireMessage>(_ message: Message) throws -> Message {
    guard let codec = traits.codec else { return message }
    return try codec.decode(Message.self, from: try codec.encode(message))
  }

  /// About how many bytes a message has.
  static func size(of push: PushRequest) -> Int {
    push.edits.reduce(150) { $0 + 40 + $1.content.byteCount }
  }

  static func size(of page: PullPage) -> Int {
    page.documents.reduce(150) { $0 + 40 + $1.content.byteCount }
  }

  // MARK: At the authority

  mutating func arrive(_ event: Event) throws {
    switch event {
    case .pullArrives(let sender, let authority, let request, let message):
      guard authorities[authority].isUp else {
        answer(sender, pull: request, .failure(TransportError(.unreachable, "nobody there")))
        return
      }
      if let refusal = refusal(of: sender, message.group, isWrite: false) {
        answer(sender, pull: request, .failure(refusal))
        return
      }
      let limits = traits.serverLimits
      let plan = PullPlan(
        message, identity: store.identity, limit: min(message.limit ?? limits.pageDocuments, 10),
        byteLimit: limits.pageBytes)
      read(sender, authority, request, plan)
    case .pullReads(let sender, let authority, let life, let request, let plan):
      guard authorities[authority].life == life else { return }
      try pullReads(sender, authority, request, plan)
    case .pushArrives(let sender, let authority, let request, let message, let isAnswered):
      try pushArrives(sender, authority, request, try coded(message), isAnswered)
    default: break
    }
  }

  private mutating func read(
    _ sender: SimulatedAuthority.Sender, _ authority: Int, _ request: Int, _ plan: PullPlan
  ) {
    let life = authorities[authority].life
    timeline.schedule(
      .pullReads(sender, authority: authority, life: life, request: request, plan), after: delay() / 4)
  }

  private mutating func pullReads(
    _ sender: SimulatedAuthority.Sender, _ authority: Int, _ request: Int, _ plan: PullPlan
  ) throws {
    if isHostile && traits.disksFail && random.oneIn(20) {
      answer(sender, pull: request, .failure(TransportError(.unavailable, "the store cannot be read")))
      return
    }
    var plan = plan
    guard var page = try plan.advance(store.read(plan.query), now: clock(ofAuthority: authority)) else {
      return read(sender, authority, request, plan)
    }
    page.user = caller(sender)
    answer(sender, pull: request, .success(try coded(page)))
  }

  private mutating func answer(
    _ sender: SimulatedAuthority.Sender, pull request: Int, _ result: Result<PullPage, TransportError>
  ) {
    var time = delay()
    if case .success(let page) = result, let number = replica(sender) {
      time = transfer(Self.size(of: page), devices[replicas[number].device].link, of: number, request)
    }
    if isHostile && random.oneIn(8) { return }  // the answer, or the rest of it, is lost
    timeline.schedule(.pullEnds(sender, request: request, result), after: time)
  }

  private mutating func pushArrives(
    _ sender: SimulatedAuthority.Sender, _ authority: Int, _ request: Int, _ message: PushRequest,
    _ isAnswered: Bool
  ) throws {
    func refuse(_ simulation: inout Simulation, _ error: TransportError) {
      if isAnswered { simulation.answer(sender, push: request, .failure(error)) }
    }
    guard authorities[authority].isUp else {
      refuse(&self, TransportError(.unreachable, "nobody there"))
      return
    }
    var push = message
    let caller = caller(sender)
    if let owner = push.user, let caller, owner != caller {
      refuse(&self, TransportError(.wrongUser, "not yours"))
      return
    }
    push.user = caller
    if let refusal = refusal(of: sender, push.group, isWrite: true) {
      refuse(&self, refusal)
      return
    }
    guard push.edits.count <= traits.serverLimits.documentsPerPush else {
      refuse(&self, TransportError(.tooLarge, "too many documents", cause: "too-large"))
      return
    }
    do {
      let id = try authorities[authority].scheduler.admit(push)
      authorities[authority].pushes[id] = .init(
        sender: sender, request: request, push: push, isAnswered: isAnswered)
    } catch {
      refuse(&self, TransportError(error))
      return
    }
    beginTurn(authority)
  }

  mutating func answer(
    _ sender: SimulatedAuthority.Sender, push request: Int, _ result: Result<PushAnswer, TransportError>
  ) {
    timeline.schedule(.pushEnds(sender, request: request, result), after: delay())
  }

  // MARK: Rights

  /// Whom the servers take a sender for.
  func caller(_ sender: SimulatedAuthority.Sender) -> String? {
    switch sender {
    case .replica(let number, _): devices[replicas[number].device].caller
    case .follower: traits.hasUsers ? "follower" : nil
    }
  }

  func right(of user: String?, _ group: String) -> Right { user.flatMap { rights[$0]?[group] } ?? .write }

  private func refusal(
    of sender: SimulatedAuthority.Sender, _ group: String, isWrite: Bool
  ) -> TransportError? {
    switch right(of: rightsName(sender), group) {
    case .write: nil
    case .read: isWrite ? TransportError(.forbidden, "may read only") : nil
    case .none: TransportError(.forbidden, "may not use the group")
    }
  }

  /// Under what name the rights of a sender are kept: of its user, or of its device where there are no users.
  func rightsName(_ sender: SimulatedAuthority.Sender) -> String? {
    switch sender {
    case .replica(let number, _): rightsName(ofDevice: replicas[number].device)
    case .follower: nil
    }
  }

  func rightsName(ofDevice device: Int) -> String { devices[device].caller ?? "device\(device)" }

  // MARK: Back at the client

  mutating func pullEnds(
    _ sender: SimulatedAuthority.Sender, _ request: Int, _ result: Result<PullPage, TransportError>
  ) throws {
    guard let number = replica(sender), replicas[number].requests.remove(request) != nil else { return }
    switch result {
    case .success(let page):
      try checkPage(page)
      let shown = try tampered(page, for: number)
      try deliver(.pulled(request: request, try replicas[number].edge.open(shown)), to: number)
    case .failure(let error):
      if error.code == .forbidden { replicas[number].wasRevoked = true }
      try deliver(.pullFailed(request: request, error), to: number)
    }
  }

  mutating func pushEnds(
    _ sender: SimulatedAuthority.Sender, _ request: Int, _ result: Result<PushAnswer, TransportError>
  ) throws {
    if case .follower = sender {
      followerPushEnds(result)
      return
    }
    guard let number = replica(sender), replicas[number].requests.remove(request) != nil,
      let push = replicas[number].sealedPushes[request]
    else { return }
    switch result {
    case .success(let answer):
      try deliver(.pushed(request: request, try push.open(try coded(answer))), to: number)
    case .failure(let error):
      try deliver(.pushFailed(request: request, error, freshClient: random.uuid()), to: number)
    }
  }
}
