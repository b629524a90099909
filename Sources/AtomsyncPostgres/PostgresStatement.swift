internal import CPostgres

/// A statement with its parameters. Those of one name have one text, and are prepared once on each connection.
struct PostgresStatement: Sendable {
  var name: String
  var text: String
  var parameters: [PostgresParameter] = []

  init(_ name: String, _ text: String, _ parameters: [PostgresParameter] = []) {
    self.name = name
    self.text = text
    self.parameters = parameters
  }

  /// The statement with these parameters.
  func with(_ parameters: PostgresParameter...) -> PostgresStatement {
    PostgresStatement(name, text, parameters)
  }

  /// Hands the parameters over as libpq takes them.
  func withParameters<Result>(
    _ body: (
      _ values: [UnsafePointer<CChar>?], _ lengths: [Int32], _ formats: [Int32]
    ) -> Result
  ) -> Result {
    let bytes = parameters.map(\.bytes)
    // One memory for all of them, since each of the pointers has to be valid while `body` runs. Not empty, so that it has
    // an address.
    let all = bytes.flatMap(\.self) + [0]
    return all.withUnsafeBytes { memory in
      var offset = 0
      let values = bytes.map { parameter in
        defer { offset += parameter.count }
        return memory.baseAddress.map { ($0 + offset).assumingMemoryBound(to: CChar.self) }
      }
      return body(
        values, bytes.map { Int32(truncatingIfNeeded: $0.count) }, bytes.map { _ in 1 /* binary */ })
    }
  }
}
