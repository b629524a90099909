internal import AtomsyncCore

/// A number of things that may be had at once, in all and by one holder.
final class Quota: Sendable {
  private struct State {
    var total = 0
    var byHolder: [String: Int] = [:]
  }

  private let state = Lock(State())
  private let total: Int
  private let perHolder: Int

  init(total: Int, perHolder: Int = .max) {
    self.total = total
    self.perHolder = perHolder
  }

  /// Takes some; false when that would be too many.
  func take(_ count: Int = 1, for holder: String = "") -> Bool {
    state.withLock { state in
      let held = state.byHolder[holder, default: 0]
      guard count <= total - state.total, count <= perHolder - held else { return false }
      state.total += count
      state.byHolder[holder] = held + count
      return true
    }
  }

  func giveBack(_ count: Int = 1, from holder: String = "") {
    state.withLock { state in
      state.total -= count
      let left = state.byHolder[holder, default: 0] - count
      state.byHolder[holder] = left > 0 ? left : nil
    }
  }
}
