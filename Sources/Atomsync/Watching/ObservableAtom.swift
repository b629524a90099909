public import AtomsyncEngine
public import Observation

/// An atom for views: whoever reads it while Observation tracks is told when what they have read changes.
///
/// ```swift
/// let todos = ObservableAtom(try await client.atom("todo", of: Todo.self))
/// todos["todo:1"]?.text           // in a view: it is drawn anew when this document changes
/// todos.value.count               // ... when any document does
/// todos.status.pendingCount
/// try todos.atom.swap { $0["todo:1"]?.done = true }
/// ```
///
/// ## Behavior
/// - What is read is the atom as it is at that moment, right after a swap as well.
/// - Whoever has read one document is not told of changes to others, however many there are. Changes are told on the main actor's
///   next turn, those of one turn together.
/// - When the atom closes, everything stays as it was.
@MainActor
public final class ObservableAtom<Element: Codable & Sendable>: Observable {
  /// The atom that is observed. Changes are made with it.
  public let atom: SyncedAtom<Element>
  private let anything = Signal()
  private let statusSignal = Signal()
  /// Of the documents that somebody has read since they changed.
  private var signals: [String: Signal] = [:]
  private var following: Following?

  /// Observes `atom` for as long as this object exists.
  public init(_ atom: SyncedAtom<Element>) {
    self.atom = atom
    let (changes, statuses) = (atom.mergedChanges, atom.statuses)
    following = Following([
      Task { [weak self] in for await change in changes { self?.tell(change.ids) } },
      Task { [weak self] in for await _ in statuses { self?.statusSignal.send() } },
    ])
  }

  /// All documents. Whoever reads them is told of every change.
  public var value: Documents<Element> {
    anything.track()
    return atom.value
  }

  /// One document; `nil` when there is none, or when it is no `Element`. Whoever reads it is told of its changes alone.
  public subscript(id: String) -> Element? {
    signal(id).track()
    return atom.value[id]
  }

  /// How the atom stands with its disk and its server.
  public var status: SyncStatus {
    statusSignal.track()
    return atom.status
  }

  // MARK: Parts

  private func signal(_ id: String) -> Signal {
    if let signal = signals[id] { return signal }
    let signal = Signal()
    signals[id] = signal
    return signal
  }

  private func tell(_ ids: Set<String>) {
    anything.send()
    // Who is told reads again if it goes on tracking.
    if ids.count < signals.count {
      for id in ids { signals.removeValue(forKey: id)?.send() }
    } else {
      for id in signals.keys where ids.contains(id) { signals.removeValue(forKey: id)?.send() }
    }
  }
}

/// Something that Observation tracks.
@MainActor @Observable
private final class Signal {
  private var count = 0

  func track() { _ = count }
  func send() { count += 1 }
}

/// Ends the tasks when the last reference to it goes.
private final class Following: Sendable {
  private let tasks: [Task<Void, Never>]
  init(_ tasks: [Task<Void, Never>]) { self.tasks = tasks }
  deinit { for task in tasks { task.cancel() } }
}
