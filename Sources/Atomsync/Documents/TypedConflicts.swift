public import AtomsyncEngine
internal import Transit

extension ConflictPolicy {
  /// The result of a function of an application's type stands.
  ///
  /// ```swift
  /// let policy = ConflictPolicy.merge(of: Todo.self) { base, local, remote in
  ///   guard var merged = remote, let local else { return remote }
  ///   if local.text != base?.text { merged.text = local.text }
  ///   return merged
  /// }
  /// ```
  /// What the type does not know of the server's document is kept (of the local one, where the server has none). It is for groups with documents
  /// of one type: a document of another cannot be decoded.
  ///
  /// - Parameters:
  ///   - type: the documents' type.
  ///   - merge: is given what both sides began with, what was written here and what the server has, each `nil` where there is none;
  ///     `nil` deletes the document. Called on no particular thread, outside every lock, and again if anything changes meanwhile: it must depend
  ///     on nothing but its input. When it throws, or one of the three cannot be decoded, the conflict stays open and is reported.
  public static func merge<Element: Codable & Sendable>(
    of type: Element.Type,
    _ merge: @escaping @Sendable (_ base: Element?, _ local: Element?, _ remote: Element?) throws -> Element?
  ) -> ConflictPolicy {
    .merge { input in
      let (base, local, remote) = try (
        decoded(input.base, Element.self), decoded(input.local, Element.self),
        decoded(input.remote, Element.self)
      )
      return try merge(base, local, remote).map {
        try ElementCoding.encode($0, replacing: input.remote ?? input.local)
      }
    }
  }
}

private func decoded<Element: Codable & Sendable>(
  _ value: TransitValue?, _ type: Element.Type
) throws -> Element? { try value.map { try ElementCoding.decode($0) } }

extension Conflict {
  /// The three values as an application's type, each `nil` where there was no document.
  ///
  /// - Throws: `DecodingError` when one of them is no `Element`.
  public func values<Element: Codable & Sendable>(
    as type: Element.Type
  ) throws -> (base: Element?, local: Element?, remote: Element?) {
    (try decoded(base, type), try decoded(local, type), try decoded(remote, type))
  }
}

extension Rejection {
  /// What was to be, as an application's type; `nil` for a deletion.
  ///
  /// - Throws: `DecodingError` when it is no `Element`.
  public func value<Element: Codable & Sendable>(as type: Element.Type) throws -> Element? {
    try decoded(value, type)
  }
}
