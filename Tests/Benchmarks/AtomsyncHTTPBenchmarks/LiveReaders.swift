import BenchmarkSupport
import Foundation
import NIOCore
import NIOPosix

/// Many live streams in a process of their own, and the one who writes what they read:
/// `follow-for-benchmark PORT STREAMS COMMITS PID`.
///
/// A client of little more than sockets: what is measured is the server, on the same cores.
enum LiveReaders {
  struct Result {
    /// Until all were open, one after the other, in seconds.
    var opening: Double
    /// The server's memory for each stream, in kB.
    var memory: Double
    /// From a write's start until a reader had it, in ms: median, p99, the last one.
    var latencies: [Double]
  }

  static func run(port: String, streams: Int, commits: Int, server: Int32) throws -> Result {
    let child = try Child(["follow-for-benchmark", port, "\(streams)", "\(commits)", "\(server)"])
    let numbers = try child.line().split(separator: " ").compactMap { Double($0) }
    try child.end()
    guard numbers.count == 5 else { throw ChildError() }
    return Result(opening: numbers[0], memory: numbers[1], latencies: Array(numbers[2...]))
  }

  static func follow(_ arguments: [String]) async throws {
    let numbers = arguments.compactMap { Int($0) }
    guard numbers.count == 4 else { throw ChildError() }
    let (port, streams, commits, server) = (numbers[0], numbers[1], numbers[2], numbers[3])
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let loop = group.next()
    let record = try await loop.submit { NIOLoopBound(Arrivals(streams: streams), eventLoop: loop) }.get()
    let bootstrap = ClientBootstrap(group: group)

    let memory = ProcessMemory.kilobytes(.resident, of: Int32(server))
    let began = ContinuousClock.now
    var channels: [any Channel] = []
    for _ in 0..<streams {
      let opened = loop.makePromise(of: Void.self)
      let channel = try await bootstrap.channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Reader(record.value, opened))
        }
      }.connect(host: "127.0.0.1", port: port).get()
      let request = "GET /sync?group=live HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
      try await channel.writeAndFlush(ByteBuffer(string: request))
      try await opened.futureResult.get()
      channels.append(channel)
    }
    let opening = (ContinuousClock.now - began).seconds
    let perStream = Double(ProcessMemory.kilobytes(.resident, of: Int32(server)) - memory) / Double(streams)

    let writer = try await bootstrap.channelInitializer { channel in
      channel.eventLoop.makeSucceededVoidFuture()
    }.connect(host: "127.0.0.1", port: port).get()
    for number in 0..<commits {
      // Ten writes a second are the load that is measured. The pause orders nothing: each write notes its own beginning.
      try await Task.sleep(for: .milliseconds(100))
      let body =
        #"["^ ","~:group","live","~:docs",[["^ ","~:id","@\#(number)@","~:version",0,"~:value","text"]]]"#
      let head =
        "POST /sync HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/transit+json\r\n"
        + "Content-Length: \(body.utf8.count)\r\n\r\n"
      try await loop.submit { record.value.began(number) }.get()
      try await writer.writeAndFlush(ByteBuffer(string: head + body))
    }
    let done = loop.makePromise(of: Void.self)
    loop.execute { record.value.whenComplete(commits, done) }
    let timeout = loop.scheduleTask(in: .seconds(30)) { done.fail(ChildError()) }
    try await done.futureResult.get()
    timeout.cancel()
    let samples = try await loop.submit { record.value.samples }.get()
    print(opening, perStream, samples.quantile(0.5), samples.quantile(0.99), samples.quantile(1))
    fflush(nil)
    for channel in channels { channel.close(promise: nil) }
    try await group.shutdownGracefully()
  }
}

/// When each write began, and how long each reader waited for it.
private final class Arrivals {
  private let streams: Int
  private var starts: [NIODeadline] = []
  private var arrived = 0
  private var done: (count: Int, promise: EventLoopPromise<Void>)?
  private(set) var samples = Samples()

  init(streams: Int) { self.streams = streams }

  func began(_ number: Int) { starts.append(.now()) }

  func arrived(_ number: Int, at time: NIODeadline) {
    guard number < starts.count else { return }
    samples.append(Double((time - starts[number]).nanoseconds) / 1e6)
    arrived += 1
    check()
  }

  func whenComplete(_ commits: Int, _ promise: EventLoopPromise<Void>) {
    done = (commits * streams, promise)
    check()
  }

  private func check() {
    if let done, arrived >= done.count { done.promise.succeed() }
  }
}

/// Looks for the numbers of writes, which stand between two `@`.
private final class Reader: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let arrivals: Arrivals
  private var opened: EventLoopPromise<Void>?
  private var number: Int?

  init(_ arrivals: Arrivals, _ opened: EventLoopPromise<Void>) {
    self.arrivals = arrivals
    self.opened = opened
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let now = NIODeadline.now()
    opened?.succeed()
    opened = nil
    unwrapInboundIn(data).withUnsafeReadableBytes { bytes in
      for byte in bytes {
        switch (byte, number) {
        case (UInt8(ascii: "@"), nil): number = 0
        case (UInt8(ascii: "@"), let found?):
          arrivals.arrived(found, at: now)
          number = nil
        case (UInt8(ascii: "0")...UInt8(ascii: "9"), let found?): number = found * 10 + Int(byte - 48)
        case (_, _?): number = nil
        default: break
        }
      }
    }
  }

  func channelInactive(context: ChannelHandlerContext) { opened?.fail(ChildError()) }
}
