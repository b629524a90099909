internal import AtomsyncCore
internal import AtomsyncEngine

// Live streams: a server's loop of pulls on one side, a reader on the other.

extension Simulation {
  mutating func sendLive(_ reader: SimulatedAuthority.Sender, _ stream: Int, _ groups: [PullRequest]) {
    if isLost(isRead: true, failing: { .liveEnds(reader, stream: stream, $0) }) { return }
    if isHostile && random.oneIn(12) {
      timeline.schedule(
        .liveEnds(reader, stream: stream, TransportError(.unsupported, "no streams")), after: delay())
      return
    }
    let authority = Int.random(in: authorities.indices, using: &random)
    timeline.schedule(.liveArrives(reader, authority: authority, stream: stream, groups), after: delay())
  }

  mutating func handleLive(_ event: Event) throws {
    switch event {
    case .liveArrives(let reader, let authority, let stream, let groups):
      try openLive(reader, authority, stream, groups)
    case .liveReads(_, let authority, let life, let stream):
      guard authorities[authority].life == life else { return }
      authorities[authority].streams[stream]?.isBusy = false
      try offer(authority, stream)
    case .livePage(let reader, let authority, let stream, let page):
      try livePage(reader, authority, stream, page)
    case .liveEnds(let reader, let stream, let error):
      guard let number = replica(reader) else {
        followerStreamEnds(stream)
        return
      }
      if error?.code == .forbidden { replicas[number].wasRevoked = true }
      try deliver(.liveEnded(stream: stream, error), to: number)
    case .liveRevoked(let reader, let stream):
      guard let number = replica(reader) else { return }
      replicas[number].wasRevoked = true
      try deliver(.liveRevoked(stream: stream), to: number)
    default: break
    }
  }

  private mutating func openLive(
    _ reader: SimulatedAuthority.Sender, _ authority: Int, _ stream: Int, _ groups: [PullRequest]
  ) throws {
    guard isWanted(reader, stream) else { return }
    guard authorities[authority].isUp else {
      timeline.schedule(
        .liveEnds(reader, stream: stream, TransportError(.unreachable, "nobody there")), after: 1)
      return
    }
    for group in groups where right(of: rightsName(reader), group.group) == .none {
      timeline.schedule(.liveEnds(reader, stream: stream, TransportError(.forbidden, "not yours")), after: 1)
      return
    }
    authorities[authority].streams[stream * 64 + readerIndex(reader)] = .init(
      reader: reader, number: stream, groups: groups)
    if let number = replica(reader) { try deliver(.liveOpened(stream: stream), to: number) }
    try offer(authority, stream * 64 + readerIndex(reader))
  }

  /// Streams of different readers have numbers of their own.
  private func readerIndex(_ reader: SimulatedAuthority.Sender) -> Int {
    switch reader {
    case .replica(let number, _): number
    case .follower: 63
    }
  }

  private func isWanted(_ reader: SimulatedAuthority.Sender, _ stream: Int) -> Bool {
    switch reader {
    case .replica: replica(reader).map { replicas[$0].wantedStream == stream } ?? false
    case .follower: follower.stream == stream
    }
  }

  /// Sends the next pages of a live stream, if there are any and the reader reads.
  private mutating func offer(_ authority: Int, _ key: Int) throws {
    guard var stream = authorities[authority].streams[key], !stream.isBusy, !stream.isDead else { return }
    for index in stream.groups.indices.reversed() {
      let group = stream.groups[index].group
      if right(of: rightsName(stream.reader), group) == .none {
        authorities[authority].streams[key] = nil
        timeline.schedule(.liveRevoked(stream.reader, stream: stream.number), after: delay())
        return
      }
      guard var page = try page(stream.groups[index], authority) else {
        cut(authority, key, TransportError(.unreachable, "the store cannot be read"))
        return
      }
      page.user = caller(stream.reader)
      let isNews = !page.documents.isEmpty || page.isReset
      let isFirstWord = stream.isFirst && stream.groups[index].start != .cursor(page.cursor)
      stream.groups[index].start = .cursor(page.cursor)
      stream.groups[index].seen = nil
      authorities[authority].streams[key] = stream
      guard isNews || isFirstWord else { continue }
      stream.isBusy = true
      authorities[authority].streams[key] = stream
      timeline.schedule(
        .livePage(stream.reader, authority: authority, stream: stream.number, try coded(page)), after: delay()
      )
      return
    }
    stream.isFirst = false
    authorities[authority].streams[key] = stream
  }

  /// What a pull would answer; `nil` when the store cannot be read.
  private mutating func page(_ request: PullRequest, _ authority: Int) throws -> PullPage? {
    if isHostile && traits.disksFail && random.oneIn(40) { return nil }
    let limits = traits.serverLimits
    var plan = PullPlan(
      request, identity: store.identity, limit: min(request.limit ?? limits.pageDocuments, 10),
      byteLimit: limits.pageBytes)
    while true {
      let now = clock(ofAuthority: authority)
      if let page = try plan.advance(store.read(plan.query), now: now) { return page }
    }
  }

  private mutating func livePage(
    _ reader: SimulatedAuthority.Sender, _ authority: Int, _ stream: Int, _ page: PullPage
  ) throws {
    let key = stream * 64 + readerIndex(reader)
    guard authorities[authority].streams[key]?.isDead == false else { return }
    switch reader {
    case .follower:
      guard isWanted(reader, stream) else { return }
      try followerTakes(page)
      timeline.schedule(
        .liveReads(reader, authority: authority, life: authorities[authority].life, stream: key), after: 1)
    case .replica:
      guard isWanted(reader, stream), let number = replica(reader) else { return }
      try checkPage(page)
      let shown = try tampered(page, for: number)
      try deliver(.livePage(stream: stream, try replicas[number].edge.open(shown)), to: number)
    }
  }

  /// The reader reads on.
  mutating func readOn(_ reader: SimulatedAuthority.Sender, _ stream: Int) {
    let key = stream * 64 + readerIndex(reader)
    for authority in authorities.indices where authorities[authority].streams[key] != nil {
      timeline.schedule(
        .liveReads(reader, authority: authority, life: authorities[authority].life, stream: key), after: 1)
    }
  }

  /// Sends what is new in some groups to those who read them at this authority.
  mutating func offer(_ authority: Int, groups: Set<String>?) throws {
    for (key, stream) in authorities[authority].streams.sorted(by: { $0.key < $1.key })
    where groups == nil || stream.groups.contains(where: { groups?.contains($0.group) ?? false }) {
      try offer(authority, key)
    }
  }

  // MARK: Ends

  /// A stream ends: in good order, with an error, or without anybody knowing until it has been silent for too long.
  mutating func cut(_ authority: Int, _ key: Int, _ error: TransportError?) {
    guard let stream = authorities[authority].streams[key], !stream.isDead else { return }
    authorities[authority].streams[key]?.isDead = true
    let isSilence = error?.code == .timedOut
    timeline.schedule(
      .liveEnds(stream.reader, stream: stream.number, error), after: isSilence ? 180 : delay())
  }

  mutating func cutStreams(_ authority: Int, _ error: TransportError?) {
    for key in authorities[authority].streams.keys.sorted() { cut(authority, key, error) }
  }

  /// The reader has closed its streams.
  mutating func drop(streamsOf reader: SimulatedAuthority.Sender) {
    for authority in authorities.indices {
      for (key, stream) in authorities[authority].streams where stream.reader == reader {
        authorities[authority].streams[key] = nil
      }
    }
  }

  mutating func drop(streamsOfDevice device: Int) {
    for authority in authorities.indices {
      for (key, stream) in authorities[authority].streams {
        if case .replica(let number, _) = stream.reader, replicas[number].device == device {
          authorities[authority].streams[key] = nil
        }
      }
    }
  }
}
