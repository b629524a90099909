internal import AtomsyncEngine

extension SyncedAtom {
  /// The atom's documents of one type, where a group has several: those whose ids begin with a prefix.
  ///
  /// ```swift
  /// let notes = atom.documents(of: Note.self, prefix: "note:")
  /// try notes.swap { $0["note:1"] = Note(text: "Hello") }
  /// ```
  /// It is the same atom with other eyes: it is synced with the rest, and its ``status``, ``conflicts`` and ``close(timeout:)`` are the atom's. To
  /// assign an id without the prefix makes a swap throw. Keep it where you read it often: what it has decoded is its own.
  public func documents<Other: Codable & Sendable>(
    of type: Other.Type, prefix: String
  ) -> SyncedAtom<Other> { SyncedAtom<Other>(replica, prefix: self.prefix + prefix, onClose: onClose) }
}
