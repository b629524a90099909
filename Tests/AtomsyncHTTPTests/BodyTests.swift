import AtomsyncCore
import HTTPTypes
import NIOCore
import Testing

@testable import AtomsyncHTTPServer

/// What is kept of a request's body.
@Suite struct BodyTests {
  @Test func smallPiecesArePutTogether() {
    var pieces = BodyPieces()
    var sent = ""
    for number in 0..<100_000 {
      let text = String(number % 10)
      sent += text
      pieces.append(ByteBuffer(string: text))
    }
    #expect(pieces.byteCount == 100_000)
    let buffers = pieces.takeAll()
    #expect(buffers.count == 2)
    #expect(buffers.map { String(buffer: $0) }.joined() == sent)
    #expect(pieces.buffers.isEmpty && pieces.byteCount == 0)
  }

  @Test func largePiecesStayAsTheyAre() {
    var pieces = BodyPieces()
    let large = ByteBuffer(repeating: 1, count: 5_000)
    for _ in 0..<3 { pieces.append(large) }
    #expect(pieces.takeAll() == [large, large, large])
  }

  @Test func aBodyIsTakenOnce() {
    let head = HTTPRequest(method: .post, scheme: "http", authority: "localhost", path: "/sync")
    let request = EndpointRequest(head, body: .whole(ByteBuffer(string: "text")), address: nil)
    guard case .whole(let first) = request.takeBody(), case .whole(let second) = request.takeBody() else {
      Issue.record("not whole")
      return
    }
    #expect(String(buffer: first) == "text" && second.readableBytes == 0)
  }
}
