internal import AtomsyncCore
internal import AtomsyncEngine
internal import Foundation

/// A client that is no replica: it follows all groups on one stream, from `since` on, keeps what it is told, and writes a
/// document now and then, without a number.
struct SimulatedFollower {
  let client: UUID
  struct View {
    var cursor: Cursor?
    var documents: [String: Document] = [:]
    /// A reset's pages are coming in: what they name.
    var named: Set<String>?
  }
  var views: [String: View] = [:]
  var stream: Int?
  var lastStream = 0
  /// When the stream was opened, or told something.
  var heard: Int64 = 0
  /// The push that it waits for.
  var push: PushRequest?
  /// The values that its edits were made on.
  var bases: [Edit: Payload?] = [:]
  var seen: [String: Cursor] = [:]
}

extension Simulation {
  /// What a follower does every now and then.
  mutating func follow() throws {
    // A stream is silent for no longer than its heartbeat; it is opened anew then.
    if follower.stream == nil || timeline.now - follower.heard > 300 {
      follower.heard = timeline.now
      follower.lastStream += 1
      follower.stream = follower.lastStream
      let groups = Self.groups.map { group in
        PullRequest(
          group: group, start: follower.views[group]?.cursor.map { .cursor($0) } ?? .since(0),
          seen: follower.seen[group])
      }
      sendLive(.follower, follower.lastStream, groups)
    }
    if isHostile && follower.push == nil && random.oneIn(4) { try followerWrites() }
    timeline.schedule(.follow, after: Int64.random(in: 10...60, using: &random))
  }

  mutating func followerStreamEnds(_ stream: Int) {
    if follower.stream == stream { follower.stream = nil }
  }

  mutating func followerTakes(_ sealed: PullPage) throws {
    try checkPage(sealed)
    let page = sealing.revealed(sealed)
    follower.heard = timeline.now
    var view = follower.views[page.group] ?? .init()
    if page.isReset { view.named = [] }
    for document in page.documents {
      if view.named == nil, let known = view.documents[document.id], document.version < known.version {
        throw Violation("The follower was told \(document.id)@\(document.version) after @\(known.version).")
      }
      view.documents[document.id] = document
      view.named?.insert(document.id)
    }
    view.cursor = page.cursor
    if let named = view.named, !page.hasMore {
      view.documents = view.documents.filter { named.contains($0.key) }
      view.named = nil
      follower.seen[page.group] = nil
    }
    follower.views[page.group] = view
  }

  private mutating func followerWrites() throws {
    let group = Self.groups[0]
    let view = follower.views[group]
    if view?.named != nil { return }  // some of what it holds is of a history that is not continued
    let id = Self.id(Int.random(in: 0..<Self.documents, using: &random))
    let known = view?.documents[id]
    counter += 1
    let value = makeValue(&random, counter)
    written[.init(group: group, id: id), default: []].insert(value)
    let push = PushRequest(
      group: group,
      edits: [
        Edit(
          id: id, version: known?.content == .deleted ? 0 : known?.version ?? 0,
          content: .value(try StoredValue(value).payload))
      ], cursor: view?.cursor, seen: follower.seen[group])
    follower.push = push
    for edit in push.edits { follower.bases[edit] = .some(known?.content.payload) }
    let authority = Int.random(in: authorities.indices, using: &random)
    timeline.schedule(
      .pushArrives(
        .follower, authority: authority, request: 0, try sealing.sealed(push), isAnswered: true),
      after: delay())
    // It does not wait for ever, and does not send again.
    timeline.schedule(
      .pushEnds(.follower, request: 0, .failure(TransportError(.timedOut, "late"))), after: 200)
  }

  mutating func followerPushEnds(_ result: Result<PushAnswer, TransportError>) {
    if case .success(let answer) = result, let seen = answer.seen { follower.seen[answer.group] = seen }
    follower.push = nil
  }
}
