import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1

/// Streams of a server that does nothing with them: each body that is posted goes to all, as one buffer that is written to
/// one socket after the other. No server that writes to each reader by itself does less.
final class BareStreams: Sendable {
  private let channels = NIOLockedValueBox<[ObjectIdentifier: [any Channel]]>([:])

  func enter(_ context: ChannelHandlerContext) {
    let (loop, channel) = (context.eventLoop, context.channel)
    channels.withLockedValue { $0[ObjectIdentifier(loop), default: []].append(channel) }
  }

  func send(_ body: [UInt8]) {
    var event = ByteBuffer(string: "event: page\ndata: \(BareServer.answer)")
    event.writeBytes(body)
    event.writeString("\n\n")
    var chunk = ByteBuffer(string: String(event.readableBytes, radix: 16) + "\r\n")
    chunk.writeBuffer(&event)
    chunk.writeString("\r\n")
    for channels in channels.withLockedValue({ Array($0.values) }) {
      channels[0].eventLoop.execute { [chunk] in
        for channel in channels {
          // Past the handlers, as the server does it.
          let encoder = try? channel.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
          encoder?.writeAndFlush(NIOAny(chunk), promise: nil)
        }
      }
    }
  }
}
