internal import NIOCore

/// Stands next to the socket of an HTTP/1.1 connection and writes chunks that are made already: live streams write the same
/// one to many connections, and what makes chunks of bytes takes longer than all else that is done for a reader.
final class ChunkOutput: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer

  /// Whether the answer is sent in chunks.
  var isFramed = true
  private var context: ChannelHandlerContext?

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }
  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  /// Between the head of an answer that is sent in chunks and its end. Whoever writes it flushes.
  func write(_ frame: EventFrame, promise: EventLoopPromise<Void>?) {
    guard let context else {
      promise?.fail(ChannelError.ioOnClosedChannel)
      return
    }
    context.write(NIOAny(isFramed ? frame.chunk : frame.bytes), promise: promise)
  }
}
