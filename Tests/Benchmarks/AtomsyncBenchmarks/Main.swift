import Atomsync
import AtomsyncCore
import BenchmarkSupport
import Foundation

/// Measures one client's atom, without a network.
///
///     atomsync-benchmarks [value] [swap] [throughput] [open] [typed] [sealed] [curve] [--documents N] [--store NAME]… [--svg PATH]
///
/// Without words, everything but the curve and what is sealed. Stores are `memory`, `sqlite`, `lmdb`, `sqlite-process`, `lmdb-process`.
@main
struct Main {
  static func main() async throws {
    let options = Options(CommandLine.arguments.dropFirst())
    let table = Table()
    table.header()
    if options.wants("value") || options.wants("swap") || options.wants("throughput") || options.wants("open")
      || options.wants("typed")
    {
      for kind in options.stores {
        try await withTemporaryFolder { try await measure(kind, in: $0, options, table) }
      }
    }
    if options.names.contains("sealed") {
      try await SealedBenchmarks(documents: options.documents, table: table).run()
    }
    if options.names.contains("curve") { try await Curve(options, table).run() }
  }

  private static func measure(
    _ kind: StoreKind, in folder: String, _ options: Options, _ table: Table
  ) async throws {
    var provider = kind.provider(in: folder)
    if kind == .memory { provider = .kept(try await provider.open(.exclusive)) }
    try await provider.fillClient(options.documents)
    let benchmarks = AtomBenchmarks(
      kind: kind, provider: provider, documents: options.documents, table: table)
    if options.wants("open") { try await benchmarks.open() }
    if options.wants("value") && kind == .memory { try await benchmarks.value() }
    if options.wants("typed") && kind == .memory { try await benchmarks.typed() }
    if options.wants("swap") { try await benchmarks.swap() }
    if options.wants("throughput") { try await benchmarks.throughput() }
  }
}

/// What the command line asks for.
struct Options {
  var names: Set<String> = []
  var stores: [StoreKind] = []
  var documents = 100_000
  var svg: String?

  init(_ arguments: some Sequence<String>) {
    var arguments = arguments.makeIterator()
    while let argument = arguments.next() {
      switch argument {
      case "--documents": documents = arguments.next().flatMap { Int($0) } ?? documents
      case "--store":
        if let kind = arguments.next().flatMap({ StoreKind(rawValue: $0) }) { stores.append(kind) }
      case "--svg": svg = arguments.next()
      default: names.insert(argument)
      }
    }
    if stores.isEmpty { stores = [.memory, .sqlite, .lmdb] }
  }

  func wants(_ name: String) -> Bool { names.isEmpty || names.contains(name) }
}
