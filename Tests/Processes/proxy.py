"""A TCP proxy that misbehaves on demand."""

import random
import socket
import struct
import threading
import time

PASS = "pass"  # a good proxy
CUT = "cut"  # ends connections in the middle of an answer
SWALLOW = "swallow"  # takes everything, hands on nothing: half-open
DEAF = "deaf"  # hands on requests, swallows answers


class Proxy:
    """Between the clients and a server's port. What was swallowed once stays silent, also after `mode` is set back."""

    def __init__(self, server, seed, rate=None):
        self.server = server
        self.rate = rate  # bytes a second, each way; None: as many as there are
        self.mode = PASS
        self.random = random.Random(seed)
        self.longest = 20000
        self.cuts = self.swallowed = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = set()
        self.lock = threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.server.port), timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            if self.rate:  # what is on the way is no more than a link holds
                for end in (client, server):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
            Connection(self, client, server)

    def close(self):
        self.listener.close()
        with self.lock:
            connections = list(self.open)
        for connection in connections:
            connection.close()


class Connection:
    def __init__(self, proxy, client, server):
        self.proxy, self.client, self.server = proxy, client, server
        self.is_silent = False
        # Mostly in the middle of an early answer, at times far into a stream.
        self.budget = int(proxy.longest * proxy.random.random() ** 3) + 1
        with proxy.lock:
            proxy.open.add(self)
        threading.Thread(target=self.pump, args=(client, server, False), daemon=True).start()
        threading.Thread(target=self.pump, args=(server, client, True), daemon=True).start()

    def pump(self, source, target, is_answer):
        try:
            while piece := source.recv(4096):
                mode = self.proxy.mode
                self.is_silent |= mode == SWALLOW or (mode == DEAF and is_answer)
                if self.is_silent and (is_answer or mode != DEAF):
                    self.proxy.swallowed += len(piece)
                    continue
                if mode == CUT and is_answer:
                    if len(piece) >= self.budget:
                        target.sendall(piece[: self.budget])
                        self.proxy.cuts += 1
                        self.cut()
                        return
                    self.budget -= len(piece)
                if self.proxy.rate:
                    time.sleep(len(piece) / self.proxy.rate)
                target.sendall(piece)
        except OSError:
            pass
        self.close()

    def cut(self):
        """In good order, or with a reset."""
        if self.proxy.random.random() < 0.5:
            for end in (self.client, self.server):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        for end in (self.client, self.server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()
        with self.proxy.lock:
            self.proxy.open.discard(self)
