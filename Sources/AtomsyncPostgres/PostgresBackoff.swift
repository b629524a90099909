/// How long to wait before a server is asked again.
struct PostgresBackoff {
  private var attempts = 0

  mutating func next() -> Duration {
    attempts += 1
    let ceiling = min(2000, 25 << min(attempts, 7))
    return .milliseconds(Int.random(in: ceiling / 2...ceiling))
  }
}
