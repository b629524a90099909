public import AtomsyncCore
public import AtomsyncEngine
internal import Transit

/// One promise of `Transport`, as something that can be run.
///
/// The kit knows no test framework: a broken promise is a thrown ``ConformanceFailure``. With Swift Testing:
/// ```swift
/// @Test(arguments: TransportConformanceCase.all)
/// func conforms(_ promise: TransportConformanceCase) async throws {
///   try await promise.run { authority, use in
///     let server = try await MyServer(authority)
///     try await use(.mine(server.address))
///     await server.stop()
///   }
/// }
/// ```
public struct TransportConformanceCase: Sendable, CustomStringConvertible {
  /// Makes an authority reachable for as long as `use` runs, which is handed the way to it.
  public typealias Connect =
    @Sendable (_ authority: Authority, _ use: @escaping @Sendable (TransportProvider) async throws -> Void)
    async throws
    -> Void

  /// What is promised.
  public let name: String
  /// The name.
  public var description: String { name }
  private let body: @Sendable (TransportTrial) async throws -> Void

  init(_ name: String, _ body: @escaping @Sendable (TransportTrial) async throws -> Void) {
    self.name = name
    self.body = body
  }

  /// Tries the promise on an authority in memory.
  ///
  /// - Parameters:
  ///   - codec: what messages are encoded with.
  ///   - patience: how long the case may take.
  ///   - connect: called once; `use` opens the transport as often as it needs one.
  /// - Throws: ``ConformanceFailure``, or what the transport threw.
  public func run(
    codec: any Codec = .transitMsgPack, patience: Duration = .seconds(60), connect: @escaping Connect
  ) async throws {
    var configuration = AtomsyncConfiguration(codec: codec)
    configuration.limits.documentsPerPush = TransportTrial.documentsPerPush
    let disk = FaultyStorage(MemoryStorage())
    configuration.storage = StorageProvider("a disk with gates") { _ in disk }
    let authority = try await Authority.open(configuration)
    let expectations = Expectations(name: name)
    do {
      try await expectations.try(patience: patience) { [body] in
        let isTried = Lock(false)
        try await connect(authority) { provider in
          try await body(TransportTrial(expectations, authority, disk, provider, codec))
          isTried.withLock { $0 = true }
        }
        try expectations.expect(isTried.withLock { $0 }, "connect has not called use, or kept its error")
      }
    } catch {
      disk.readGate.open()
      await authority.close()
      throw error
    }
    await authority.close()
  }

  /// Every promise. New ones may come with minor versions.
  public static let all: [TransportConformanceCase] = messages + errors + streams
}

/// One run of a case.
struct TransportTrial: Sendable {
  /// The limit of the trial's authority.
  static let documentsPerPush = 100

  let expectations: Expectations
  let authority: Authority
  /// The authority's, to hold it up.
  let disk: FaultyStorage
  private let provider: TransportProvider
  private let codec: any Codec

  init(
    _ expectations: Expectations, _ authority: Authority, _ disk: FaultyStorage,
    _ provider: TransportProvider,
    _ codec: any Codec
  ) {
    self.disk = disk
    self.expectations = expectations
    self.authority = authority
    self.provider = provider
    self.codec = codec
  }

  /// Opens a transport for the length of `body`.
  func open(_ body: (any Transport) async throws -> Void) async throws {
    let transport = try await provider.open(codec: codec)
    do {
      try await body(transport)
    } catch {
      await transport.close()
      throw error
    }
    await transport.close()
  }

  /// Writes documents at the authority, past the transport.
  func write(_ ids: [String], group: String = "g") async throws {
    _ = try await authority.push(
      PushRequest(
        group: group, edits: try ids.map { Edit(id: $0, version: 0, content: try Samples.content("v")) }))
  }
}
