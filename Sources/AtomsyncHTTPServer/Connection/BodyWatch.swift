internal import NIOCore
internal import NIOHTTPTypes

/// Sees that a body makes progress: ``ServerLimits/bodyWindowBytes`` in each window, and an end in
/// ``ServerLimits/bodyTime``. One that does not closes its connection, or its HTTP/2 stream.
final class BodyWatch: ChannelDuplexHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = Never

  private let limits: ServerLimits
  private var body: Body?
  /// The connection is to be read. When it is not, a body cannot progress.
  private var isReading = true

  private struct Body {
    let began = NIODeadline.now()
    var bytes = 0
    var timer: Scheduled<Void>?
  }

  init(_ limits: ServerLimits) { self.limits = limits }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head: body = Body()
    case .body(let buffer): body?.bytes += buffer.readableBytes
    case .end: forget()
    }
    context.fireChannelRead(data)
  }

  func read(context: ChannelHandlerContext) {
    isReading = true
    context.read()
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    isReading = false
    // Only a body that did not come with its head needs to be watched.
    if body != nil, body?.timer == nil { watch(context, from: 0) }
    context.fireChannelReadComplete()
  }

  func channelInactive(context: ChannelHandlerContext) {
    forget()
    context.fireChannelInactive()
  }

  private func forget() {
    body?.timer?.cancel()
    body = nil
  }

  /// Looks at the body's progress when a window is over.
  private func watch(_ context: ChannelHandlerContext, from bytes: Int) {
    body?.timer = context.eventLoop.assumeIsolated().scheduleTask(
      in: TimeAmount(limits.bodyWindow)
    ) { [self] in
      guard let body else { return }
      if !isReading { return watch(context, from: body.bytes) }
      let isLate = NIODeadline.now() - body.began >= TimeAmount(limits.bodyTime)
      if isLate || body.bytes - bytes < limits.bodyWindowBytes { return context.close(promise: nil) }
      watch(context, from: body.bytes)
    }
  }
}
