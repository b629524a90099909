public import AtomsyncEngine
public import Observation

/// An atom for views: its value and status on the main actor, for whoever tracks them with Observation.
///
/// ```swift
/// let todos = ObservableAtom(try await client.atom("todo", of: Todo.self))
/// todos.value["todo:1"]?.text     // in a view: it is drawn anew when this changes
/// todos.status.pendingCount
/// try todos.atom.swap { $0["todo:1"]?.done = true }
/// ```
///
/// ## Behavior
/// Both follow the atom on the main actor's next turn, so a view that swaps sees its change a moment later here and at
/// once in `atom.value`. They rest at their last state when the atom closes.
@MainActor @Observable
public final class ObservableAtom<Element: Codable & Sendable> {
  public let atom: SyncedAtom<Element>
  public private(set) var value: Documents<Element>
  public private(set) var status: SyncStatus
  @ObservationIgnored private var following: Following?

  public init(_ atom: SyncedAtom<Element>) {
    self.atom = atom
    let (values, statuses) = (atom.values, atom.statuses)
    value = atom.value
    status = atom.status
    following = Following([
      Task { [weak self] in for await value in values { self?.value = value } },
      Task { [weak self] in for await status in statuses { self?.status = status } },
    ])
  }
}

/// Ends the tasks when the last reference to it goes.
private final class Following: Sendable {
  private let tasks: [Task<Void, Never>]
  init(_ tasks: [Task<Void, Never>]) { self.tasks = tasks }
  deinit { for task in tasks { task.cancel() } }
}
