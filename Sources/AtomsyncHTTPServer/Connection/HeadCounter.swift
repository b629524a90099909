internal import NIOCore
internal import NIOHTTP1

/// Counts the bytes of a request's head as they come, before anything reads them: NIO's own limits leave the URL out.
///
/// It stands before the decoder; the ``RequestGuard`` behind it says when a head begins and ends.
final class HeadCounter: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private let limit: Int
  private var count = 0
  private var isInHead = true

  init(limit: Int) { self.limit = limit }

  func headIsComplete() { isInHead = false }

  func requestIsComplete() {
    isInHead = true
    count = 0
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if isInHead { count += unwrapInboundIn(data).readableBytes }
    context.fireChannelRead(data)
    // Later than it was read, since a head may have ended in these bytes.
    if isInHead && count > limit {
      let answer =
        "HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
      context.writeAndFlush(NIOAny(ByteBuffer(string: answer)), promise: nil)
      context.close(promise: nil)
    }
  }
}
