internal import AtomsyncCore
package import AtomsyncEngine
package import AtomsyncHTTPServer
internal import HTTPTypes
internal import NIOCore

/// The inspector: a page that shows what a server holds, and what the page asks for. (Docs/Protocol.md §11.)
///
/// The page is a replica itself, in JavaScript, and edits by the protocol's own means.
package struct Inspector: Sendable {
  private let endpoint: SyncEndpoint
  private let authority: Authority
  private let overviews: GroupOverviews
  private let metrics: @Sendable () -> String

  /// Where everything of the inspector is.
  package static let path = "/inspector/"

  /// - Parameter metrics: the server's, as Prometheus reads them.
  package init(
    _ endpoint: SyncEndpoint, of authority: Authority, metrics: @escaping @Sendable () -> String
  ) {
    self.endpoint = endpoint
    self.authority = authority
    self.overviews = GroupOverviews(authority)
    self.metrics = metrics
  }

  /// Answers a request under ``path``; `nil` for others.
  package func respond(to request: EndpointRequest) async -> EndpointResponse? {
    if request.isFor("/inspector") { return EndpointResponse(.movedPermanently, [.location: Self.path]) }
    if request.isFor(Self.path + "groups") { return await endpoint.answer(request, with: groups) }
    if request.isFor(Self.path + "changes") { return await endpoint.answer(request, with: changes) }
    if request.isFor(Self.path + "metrics") { return await endpoint.answer(request, with: figures) }
    return InspectorFile.all.first { request.isFor(Self.path + $0.name) }?.answer(to: request)
  }

  // MARK: What the page asks for

  private func groups(_ inquiry: Inquiry) async throws -> any WireMessage {
    let after = try inquiry.parameters.one("after")
    let page = try await overviews.list(inquiry.groups, after: after)
    return GroupList(groups: page.groups, hasMore: !page.isLast)
  }

  private static let mostChanges: Int64 = 200

  private func changes(_ inquiry: Inquiry) async throws -> any WireMessage {
    guard let group = try inquiry.parameters.one("group") else {
      throw ProtocolError(.invalidParameter, "The parameter “group” is missing.")
    }
    try inquiry.check(group: group)
    let limit = try inquiry.parameters.number("limit", atLeast: 1) ?? 50
    let page = try await authority.newestChanges(
      of: group, before: try inquiry.parameters.number("before", atLeast: 1),
      limit: Int(min(limit, Self.mostChanges)))
    return RecentChanges(group: group, changes: page.changes, hasMore: !page.isLast)
  }

  private func figures(_ inquiry: Inquiry) async throws -> any WireMessage {
    guard inquiry.mayReadEverything else {
      throw ProtocolError(.forbidden, "The server's figures are for users who may read every group.")
    }
    return Figures(text: metrics())
  }
}
