internal import ArgumentParser
internal import Atomsync
internal import AtomsyncCore
internal import AtomsyncHTTPClient
internal import Foundation
internal import Logging
internal import Transit

/// A replica that is open for the length of one command.
struct Session: Sendable {
  let atom: SyncedAtom<TransitValue>
  let output: Output
  /// Whether there is a server to talk to.
  let isOnline: Bool
  /// When this command began.
  let began = Date()
  private let client: AtomsyncClient
  private let wait: Duration

  init(_ settings: ReplicaSettings) async throws {
    let options = settings.options
    output = Output(format: options.format)
    wait = .seconds(options.wait)
    isOnline = settings.server != nil && !options.offline
    var logger = Logger(label: "atomsync", factory: { StreamLogHandler.standardError(label: $0) })
    logger.logLevel = .critical
    if let trust = options.trust, !FileManager.default.isReadableFile(atPath: trust) {
      throw ValidationError("--trust names \(trust), which cannot be read.")
    }
    let encryption = try EncryptionProvider(settings)
    let location = try StoreLocation(settings)
    var transport: TransportProvider?
    if let server = settings.server, !options.offline {
      var http = HTTPTransportOptions()
      http.trustedCertificates = options.trust
      transport = .http(server, token: settings.token, options: http)
    }
    client = try await location.open(
      AtomsyncConfiguration(storage: location.provider, logger: logger), wait: wait)
    do {
      atom = try await client.atom(settings.group, transport: transport, encryption: encryption)
    } catch {
      try? await client.close()  // nothing was changed yet
      throw error
    }
  }

  func close() async throws { try await client.close() }

  /// Says when a change is durable, and what the server says to it within the wait.
  ///
  /// - Returns: the exit code.
  func report(_ receipt: Receipt) async throws -> Int32 {
    try await receipt.saved()
    guard !receipt.id.documents.isEmpty else {
      try Output.line(atom.status.pendingCount == 0 ? "unchanged" : "unchanged, \(pending)")
      return isOnline && atom.status.pendingCount > 0 ? 1 : 0
    }
    guard isOnline else {
      try Output.line("saved, \(pending)")
      return 0
    }
    do {
      return try tell(try await receipt.confirmed(timeout: wait))
    } catch let error as SyncError where error.code == .timedOut || error.code == .stopped {
      try Output.line("saved, \(pending)")
      if let reason = atom.status.lastError { Output.note(reason) }
      return 1
    }
  }

  private func tell(_ confirmation: Confirmation) throws -> Int32 {
    for (id, verdict) in confirmation.verdicts.sorted(by: { $0.key < $1.key }) {
      switch verdict {
      case .accepted, .discarded: continue
      case .rejected(let reason):
        try Output.line("saved, but the server has rejected \(id): \(Output.escaped(reason))")
      case .superseded(let number):
        try Output.line(
          "saved, but \(id) had changed on the server, whose value stands (conflict \(number)):")
        try output.printValue(atom.value.transit(id) ?? .null)
      }
      return 1
    }
    // Version 0: it undid what was never sent, or deleted what never was.
    let isSent = confirmation.verdicts.values.contains { $0 != .accepted(version: 0) && $0 != .discarded }
    try Output.line(isSent ? "saved, confirmed" : "saved, nothing to send")
    return 0
  }

  /// Says how many documents cannot be shown, and why the first cannot.
  func noteUnopened() {
    guard let first = atom.value.undecodable.min(by: { $0.id < $1.id }) else { return }
    Output.note("\(atom.status.unopenedCount) documents cannot be opened. \(first.id): \(first.error)")
  }

  /// Hears of the server's changes, if it can be reached within the wait.
  func refresh() async throws {
    guard isOnline else { return }
    do { try await sync() } catch let error as SyncError {
      Output.note("showing what is here: \(error.message)")
    }
  }

  /// Talks to the server. Goes on after requests that took too long, as long as there is time: each makes the next one
  /// smaller.
  func sync() async throws {
    let progress = Progress(atom)
    do { try await syncPatiently() } catch {
      await progress.end()
      throw error
    }
    await progress.end()
  }

  private func syncPatiently() async throws {
    let end = ContinuousClock.now + max(wait, .seconds(1))
    while true {
      do {
        return try await atom.sync(timeout: max(end - .now, .zero))
      } catch let error as SyncError where error.transport?.code == .timedOut && .now < end {}
    }
  }

  private var pending: String { "\(atom.status.pendingCount) pending" }
}
