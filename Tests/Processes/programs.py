"""Starts, kills and reads the programs under test. All of them die with this process."""

import ctypes
import os
import random
import re
import select
import signal
import socket
import subprocess
import time

LIBC = ctypes.CDLL(None, use_errno=True)
DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG


def die_with_parent():
    LIBC.prctl(DEATH_SIGNAL, signal.SIGKILL)


class Failure(Exception):
    """What a test found."""


class Program:
    """A program that says a line when it is ready."""

    limit = 30
    environment = None  # this process's

    def __init__(self, name, folder):
        self.name = name
        self.log = os.path.join(folder, name + ".log")
        self.process = None
        self.kills = 0
        self.starts = 0
        self.slowest = 0.0

    def command(self):
        raise NotImplementedError

    def spawn(self):
        self.starts += 1
        self.began = time.monotonic()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL,
                env=self.environment, preexec_fn=die_with_parent)
        self.said = b""

    def wait_ready(self, limit=None):
        """The line that the program says once it is ready."""
        deadline = time.monotonic() + (limit or self.limit)
        while b"\n" not in self.said:
            left = deadline - time.monotonic()
            if left <= 0 or not self.read(left):
                raise Failure(f"{self.name} was not ready in time: {self.tail()}")
        self.slowest = max(self.slowest, time.monotonic() - self.began)
        return self.said.split(b"\n")[0].decode()

    def read(self, seconds):
        """Takes what the program says next; false if that is nothing for so long."""
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            return False
        piece = os.read(self.process.stdout.fileno(), 65536)
        if not piece:
            raise Failure(f"{self.name} ended with {self.process.wait()} instead of going on: {self.tail()}")
        self.said += piece
        return True

    def start(self):
        self.spawn()
        return self.wait_ready()

    def kill(self):
        """kill -9, unless it has ended by itself, which is a failure."""
        code = self.process.poll()
        if code is not None:
            raise Failure(f"{self.name} ended by itself with {code}: {self.tail()}")
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.kills += 1

    def send(self, number):
        self.process.send_signal(number)

    def end(self):
        """The quiet end of a test, whatever state the program is in."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()

    def tail(self):
        try:
            with open(self.log, errors="replace") as log:
                return log.read()[-600:].strip()
        except OSError:
            return ""


def free_port():
    """A port to listen at. Not one that the system gives to clients: who connects to such a port while nobody listens
    there may be given it, and is then connected to itself."""
    while True:
        port = random.randrange(20000, 30000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


class Server(Program):
    def __init__(self, programs, storage, folder, path=None):
        super().__init__("server", folder)
        self.program = os.path.join(programs, "atomsync-server")
        self.storage = storage
        self.path = path or os.path.join(folder, "server." + storage)
        self.port = free_port()

    def command(self):
        return [
            self.program, "--storage", self.storage, "--path", self.path, "--port", str(self.port),
            "--log-level", "error",
        ]

    def wait_ready(self, limit=None):
        line = super().wait_ready(limit)
        found = re.search(r"listens at http://[^ ]*:(\d+)/", line)
        if not found:
            raise Failure(f"the server said: {line}")
        if int(found.group(1)) != self.port:
            raise Failure(f"the server was to listen at {self.port}, and said: {line}")
        return line


class Client(Program):
    def __init__(self, programs, name, storage, folder, server, path=None):
        super().__init__(name, folder)
        self.program = os.path.join(programs, "AtomsyncStress")
        self.storage, self.server = storage, server
        self.store = path or os.path.join(folder, f"{name}.{storage}")
        self.journal = os.path.join(folder, name + ".journal")
        self.report = os.path.join(folder, name + ".report")
        self.run = 0
        self.port = None  # another way to the server
        self.options = {}

    def arguments(self, mode):
        url = f"http://127.0.0.1:{self.port or self.server.port}/sync"
        return [
            self.program, mode, "--server", url, "--store", self.store, "--storage", self.storage,
            "--journal", self.journal, "--client", self.name,
        ]

    def command(self):
        arguments = self.arguments("write") + ["--run", str(self.run)]
        for key, value in self.options.items():
            arguments += ["--" + key, str(value)]
        return arguments

    def spawn(self):
        self.run += 1
        super().spawn()

    def drain(self, seconds=60):
        """Syncs until nothing is pending; the report is at `report`."""
        with open(self.log, "ab") as log:
            ended = subprocess.run(
                self.arguments("drain") + ["--report", self.report, "--seconds", str(seconds)],
                stdout=log, stderr=log, preexec_fn=die_with_parent, timeout=seconds + 600)
        if ended.returncode not in (0, 1):
            raise Failure(f"{self.name} could not be drained ({ended.returncode}): {self.tail()}")
