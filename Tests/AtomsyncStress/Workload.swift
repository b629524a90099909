internal import AtomsyncTesting

/// Which documents the next swap writes. The sets:
/// - `hot:N`, few, which all clients write and delete;
/// - `cool:N`, many, the same;
/// - `own:CLIENT:RUN:N`, each written once: what must be there in the end, to the letter;
/// - `pair:CLIENT:RUN:N:a` and `:b`, written once and together, often with a hot document: all or nothing.
struct Workload: Sendable {
  struct Swap: Sendable {
    var writes: [String: String?]
    var isAtomic = false
  }

  private let command: StressCommand
  private var random: SeededRandom
  private var counter = 0

  init(_ command: StressCommand) {
    self.command = command
    random = SeededRandom(seed: command.seed &* 0x1_0001 &+ UInt64(command.run))
  }

  mutating func next() -> Swap {
    counter += 1
    let value = "\(command.client).\(command.run).\(counter)"
    let own = "\(command.client):\(command.run):\(counter)"
    switch Int.random(in: 0..<20, using: &random) {
    case 0..<5: return Swap(writes: [hot(): value])
    case 5: return Swap(writes: [hot(): nil])
    case 6..<11: return Swap(writes: [cool(): value])
    case 11: return Swap(writes: [cool(): nil])
    case 12..<17: return Swap(writes: ["own:\(own)": value])
    case 17: return Swap(writes: [hot(): value, cool(): value, "own:\(own)": value])
    case 18: return Swap(writes: ["pair:\(own):a": value, "pair:\(own):b": value], isAtomic: true)
    default:
      return Swap(writes: ["pair:\(own):a": value, "pair:\(own):b": value, hot(): value], isAtomic: true)
    }
  }

  private mutating func hot() -> String { "hot:\(Int.random(in: 0..<command.small, using: &random))" }
  private mutating func cool() -> String { "cool:\(Int.random(in: 0..<command.large, using: &random))" }
}

/// The parts of a written value.
struct Mark: Sendable {
  let client: String
  let run: Int
  let counter: Int

  init?(_ value: String) {
    let parts = value.split(separator: ".")
    guard parts.count == 3, let run = Int(parts[1]), let counter = Int(parts[2]) else { return nil }
    client = String(parts[0])
    self.run = run
    self.counter = counter
  }

  /// Written by the same client, no later.
  func precedes(_ other: Mark) -> Bool {
    client == other.client && (run, counter) <= (other.run, other.counter)
  }
}
