internal import AtomsyncCore
internal import AtomsyncEngine

extension PullRequest {
  /// `group=todo[&cursor=C | &since=MS][&seen=C][&limit=N]`
  init(_ parameters: QueryParameters) throws {
    guard let group = try parameters.one("group") else {
      throw ProtocolError(.invalidParameter, "The parameter “group” is missing.")
    }
    let cursor = try parameters.one("cursor")
    let since = try parameters.number("since", atLeast: 0)
    if cursor != nil && since != nil {
      throw ProtocolError(.invalidParameter, "A pull goes on from a “cursor” or “since” a time, not both.")
    }
    if let problem = Names.problem(group: group) { throw ProtocolError(.invalidGroup, problem) }
    self.init(
      group: group, start: cursor.map { .cursor(Cursor($0)) } ?? since.map { .since($0) } ?? .beginning,
      seen: try parameters.one("seen").map { Cursor($0) },
      limit: try parameters.number("limit", atLeast: 1).map { Int(clamping: $0) })
  }
}

extension LiveRequest {
  /// `group=a&group=b[&cursor=C…][&seen=C…][&since=MS][&limit=N]`: a cursor names its own group; a group without one
  /// starts from the beginning, or from `since`.
  ///
  /// - Parameters:
  ///   - lastEventID: the cursor of the last event that a reconnecting client has seen. It is newer than the cursor of
  ///     the same group in the URL.
  ///   - maximumGroups: how many groups the stream may follow.
  init(_ parameters: QueryParameters, lastEventID: String?, maximumGroups: Int) throws {
    let since = try parameters.number("since", atLeast: 0)
    let limit = try parameters.number("limit", atLeast: 1).map { Int(clamping: $0) }
    var groups: [PullRequest] = []
    var places: [[UInt8]: Int] = [:]
    func start(_ group: String, at start: PullRequest.Start) throws {
      if let problem = Names.problem(group: group) { throw ProtocolError(.invalidGroup, problem) }
      if let place = places[Array(group.utf8)] {
        groups[place].start = start
      } else if groups.count == maximumGroups {
        throw ProtocolError(
          .tooLarge, "One stream follows at most \(maximumGroups) groups.", limit: Int64(maximumGroups))
      } else {
        places[Array(group.utf8)] = groups.count
        groups.append(PullRequest(group: group, start: start, limit: limit))
      }
    }
    for group in parameters.all("group") { try start(group, at: since.map { .since($0) } ?? .beginning) }
    for text in parameters.all("cursor") + (lastEventID.map { [$0] } ?? []) {
      let cursor = Cursor(text)
      if let group = Authority.group(of: cursor) {
        try start(group, at: .cursor(cursor))
      } else if groups.count == 1 {
        // Unreadable, but there is only one group that it can mean: the authority answers with a reset.
        groups[0].start = .cursor(cursor)
      } else {
        throw ProtocolError(
          .invalidParameter, "A “cursor” cannot be read, so its group is not known. Start without it.")
      }
    }
    for seen in parameters.all("seen").map({ Cursor($0) }) {
      let group = Authority.group(of: seen)
      guard let place = group.flatMap({ places[Array($0.utf8)] }) ?? (groups.count == 1 ? 0 : nil) else {
        throw ProtocolError(.invalidParameter, "A “seen” names no group of this stream.")
      }
      groups[place].seen = seen
    }
    guard !groups.isEmpty else { throw ProtocolError(.invalidParameter, "The parameter “group” is missing.") }
    self.init(groups: groups)
  }
}
