/// How long to leave a server alone before it is asked again: twice as long each time, up to two seconds, and not all clients
/// at once.
struct PostgresBackoff {
  private var attempts = 0

  /// Rests. It orders nothing: whoever comes back finds out anew how things are.
  mutating func rest() async {
    attempts += 1
    let most = min(2000, 25 << min(attempts, 7))
    // A server that restarts, or another's lock, tells nobody when it is ready. The tasks that rest are never cancelled: they
    // end when what they are after is there, or given up for.
    try? await Task.sleep(for: .milliseconds(Int.random(in: most / 2...most)))
  }
}
