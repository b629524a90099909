extension ReplicaMachine {
  /// The state as Docs/Replica.md names it. What a replica still does while it is offline, waits or has stopped
  /// (saving a page, freezing a push) goes on in the background of that state.
  package enum Phase: String, Sendable, CaseIterable {
    case offline
    case waiting
    case pulling
    case saving
    case freezing
    case pushing
    case live
    case polling
    case stopped
  }

  /// Why nothing can be written any more, if so.
  var end: StopReason? {
    switch link {
    case .stopped(.closed): .closed
    case .stopped(.storeLost): .storeLost
    case .offline, .waiting, .connected, .stopped(.wrongUser): nil
    }
  }

  package var phase: Phase {
    switch (link, activity, follow) {
    case (.stopped, _, _): .stopped
    case (.offline, _, _): .offline
    case (.waiting, _, _): .waiting
    case (.connected, .pulling, _): .pulling
    case (.connected, .saving, _): .saving
    case (.connected, .freezing, _): .freezing
    case (.connected, .pushing, _): .pushing
    case (.connected, .idle, .polling): .polling
    case (.connected, .idle, _): .live
    }
  }
}
