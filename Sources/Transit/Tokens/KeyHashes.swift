/// The hashes of the keys and elements of the maps and sets that are open, as long as those are few and differ.
///
/// What has different hashes differs, so that most maps and sets need no comparison within.
struct KeyHashes: ~Copyable {
  private var base: UnsafeMutablePointer<UInt64>
  private var capacity = 64
  private(set) var count = 0

  init() {
    base = .allocate(capacity: capacity)
  }

  deinit { base.deallocate() }

  /// Notes the hash of the key of a pair, in a map whose hashes begin at `start`; zero is no hash.
  @inline(__always)
  mutating func note(_ hash: UInt64, pair: Int, since start: Int) {
    // Once a pair was not noted, none after it is.
    guard count == start &+ pair, pair < TransitMap.flatLimit, hash != 0 else { return }
    var index = start
    while index < count {
      if base[index] == hash { return }
      index &+= 1
    }
    if count == capacity { grow() }
    base[count] = hash
    count &+= 1
  }

  private mutating func grow() {
    let larger = UnsafeMutablePointer<UInt64>.allocate(capacity: capacity * 2)
    larger.update(from: base, count: count)
    base.deallocate()
    base = larger
    capacity *= 2
  }

  /// Whether all pairs of a map were noted; forgets its hashes.
  @inline(__always)
  mutating func allDistinct(_ pairs: Int, since start: Int) -> Bool {
    let noted = count &- start
    count = start
    return noted == pairs
  }
}
