/// One step on the way into a Swift type, linked to the one before.
///
/// A path is built only where somebody may ask for it: a step costs one allocation, and values that are no containers
/// take none.
final class CodingStep {
  enum Place {
    case key(any CodingKey)
    case index(Int)
    /// The key of an entry of a dictionary.
    case entry(TransitValue)

    var key: any CodingKey {
      switch self {
      case .key(let key): key
      case .index(let index): PlainKey(intValue: index)
      case .entry(let key): PlainKey(stringValue: key.stringValue ?? key.description)
      }
    }
  }

  let place: Place
  let parent: CodingStep?

  init(_ place: Place, _ parent: CodingStep?) {
    self.place = place
    self.parent = parent
  }

  /// The keys from the root to a step.
  static func path(_ step: CodingStep?) -> [any CodingKey] {
    var keys: [any CodingKey] = []
    var next = step
    while let step = next {
      keys.append(step.place.key)
      next = step.parent
    }
    return keys.reversed()
  }
}
