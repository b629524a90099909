import AsyncHTTPClient
import Atomsync
import AtomsyncCore
import AtomsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL
import Testing

@testable import AtomsyncHTTPServer

@Suite(.timeLimit(.minutes(1))) struct TLSTests {
  /// A folder with a certificate and its key.
  private struct Files {
    let folder: URL
    var certificate: String { folder.appending(path: "certificate.pem").path }
    var key: String { folder.appending(path: "key.pem").path }

    init() throws {
      folder = FileManager.default.temporaryDirectory.appending(path: "atomsync-tls-\(UUID())")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try write(TestCertificate.first)
    }

    func write(_ pair: (certificate: String, key: String)) throws {
      try pair.certificate.write(toFile: certificate, atomically: true, encoding: .utf8)
      try pair.key.write(toFile: key, atomically: true, encoding: .utf8)
    }

    func remove() { try? FileManager.default.removeItem(at: folder) }

    var configuration: HTTPServerConfiguration {
      var configuration = HTTPServerConfiguration()
      configuration.tls = TLSFiles(certificate: certificate, key: key)
      return configuration
    }
  }

  private static func run(_ body: @escaping @Sendable (TestServer, Files) async throws -> Void) async throws {
    let files = try Files()
    defer { files.remove() }
    try await TestServer.run(configuration: files.configuration) { try await body($0, files) }
  }

  private static func withClient(
    _ server: TestServer, trusting path: String?, _ body: (HTTPTransport) async throws -> Void
  ) async throws {
    var options = HTTPTransportOptions()
    options.trustedCertificates = path
    let client = try HTTPTransport("https://127.0.0.1:\(server.port)/sync", options: options)
    do { try await body(client) } catch {
      await client.close()
      throw error
    }
    await client.close()
  }

  @Test func pushesPullsAndFollows() async throws {
    try await Self.run { server, files in
      try await Self.withClient(server, trusting: files.certificate) { client in
        let push = try PushRequest(group: "todo", edits: [.text("a", "é")])
        #expect(try await client.push(push).accepted.map(\.id) == ["a"])
        #expect(try await client.pull(PullRequest(group: "todo")).documents.count == 1)
        try await following(client, ["todo"]) { events in
          #expect(await events.next() == .opened)
          #expect(await events.nextPage()?.documents.map(\.id) == ["a"])
          try await server.put("b")
          #expect(await events.nextPage()?.documents.map(\.id) == ["b"])
        }
      }
    }
  }

  @Test(arguments: [(HTTPClient.Configuration.HTTPVersion.http1Only, 1), (.automatic, 2)])
  func bothVersionsOfHTTP(version: HTTPClient.Configuration.HTTPVersion, major: Int) async throws {
    try await Self.run { server, _ in
      var configuration = HTTPClient.Configuration(certificateVerification: .none)
      configuration.httpVersion = version
      let client = HTTPClient(configuration: configuration)
      do {
        let request = HTTPClientRequest(url: "https://127.0.0.1:\(server.port)/sync?group=todo")
        let answer = try await client.execute(request, timeout: .seconds(10))
        #expect(answer.status == .ok && answer.version.major == major)
        try await client.shutdown()
      } catch {
        try? await client.shutdown()
        throw error
      }
    }
  }

  @Test func aServerThatNobodyVouchesForIsNotTalkedTo() async throws {
    try await Self.run { server, _ in
      try await Self.withClient(server, trusting: nil) { client in
        await #expect(throws: TransportError.self) { try await client.pull(PullRequest(group: "todo")) }
      }
    }
  }

  /// A renewed certificate is used for what connects from then on; one that does not fit its key changes nothing.
  @Test func theCertificateIsReadAgain() async throws {
    try await Self.run { server, files in
      let second = files.folder.appending(path: "second.pem").path
      try TestCertificate.second.certificate.write(toFile: second, atomically: true, encoding: .utf8)
      let first = files.folder.appending(path: "first.pem").path
      try TestCertificate.first.certificate.write(toFile: first, atomically: true, encoding: .utf8)

      try files.write((TestCertificate.second.certificate, TestCertificate.first.key))
      #expect(throws: HTTPServerError.self) { try server.server.reloadCertificate() }
      try await Self.withClient(server, trusting: first) { _ = try await $0.pull(PullRequest(group: "todo")) }

      try files.write(TestCertificate.second)
      try server.server.reloadCertificate()
      try await Self.withClient(server, trusting: second) {
        _ = try await $0.pull(PullRequest(group: "todo"))
      }
    }
  }

  @Test func whatCannotBeUsedIsSaid() throws {
    let files = try Files()
    defer { files.remove() }
    func message(_ certificate: String, _ key: String) -> String? {
      do {
        _ = try TLSIdentity(TLSFiles(certificate: certificate, key: key))
        return nil
      } catch { return error.message }
    }
    #expect(message(files.certificate, files.key) == nil)
    #expect(message("/nowhere.pem", files.key) == "The certificate /nowhere.pem cannot be read.")
    #expect(message(files.certificate, "/nowhere.pem") == "The key /nowhere.pem cannot be read.")
    #expect(message(files.key, files.key)?.hasPrefix("The certificate \(files.key)") == true)
    #expect(message(files.certificate, files.certificate)?.hasPrefix("The key \(files.certificate)") == true)
  }
}
