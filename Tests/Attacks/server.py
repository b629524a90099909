"""A server under attack: what it costs, and whether it still serves others."""

import http.client
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time

PROGRAMS = os.environ["PROGRAMS"]
JSON = "application/transit+json"
TICK = os.sysconf("SC_CLK_TCK")


class Server:
    """`atomsync-server` on a free port, in a folder of its own."""

    def __init__(self, *arguments, users=None, descriptors=None, storage="memory"):
        self.folder = tempfile.mkdtemp(prefix="atomsync-attack-")
        self.log = os.path.join(self.folder, "log")
        command = [os.path.join(PROGRAMS, "atomsync-server"), "--port", "0", "--storage", storage,
                   "--path", os.path.join(self.folder, "store"), "--log-level", "info", *arguments]
        if users:
            self.users = os.path.join(self.folder, "users.json")
            self.let_in(users)
            command += ["--users", self.users]

        def prepare():
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, preexec_fn=prepare)
        greeting = self.process.stdout.readline().decode()
        self.port = int(greeting.split("http://127.0.0.1:")[1].split("/")[0])
        self.base = self.memory()

    def let_in(self, users):
        with open(self.users, "w") as file:
            json.dump(users, file)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    # What it costs.

    def cpu(self):
        """Processor time, in milliseconds."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * 1000 / TICK

    def memory(self):
        """Resident memory, in MB."""
        with open(f"/proc/{self.process.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    # What is sent.

    def send(self, method="GET", query="", body=None, headers=None, timeout=20):
        """The status and the bytes of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, "/sync" + query, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def push(self, body, headers=None, **rest):
        body = body.encode() if isinstance(body, str) else body
        return self.send("POST", "", body, {"Content-Type": JSON, **(headers or {})}, **rest)

    def connect(self, timeout=20):
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout)

    def raw(self, data, timeout=5, until=None):
        """Sends bytes and reads what comes back until the end, the timeout, or a text."""
        with self.connect(timeout) as connection:
            try:
                connection.sendall(data)
            except OSError:
                pass
            answer = b""
            try:
                while piece := connection.recv(65536):
                    answer += piece
                    if until and until in answer:
                        break
            except OSError:
                pass
            return answer

    def stream(self, query="?group=g", headers="", address="127.0.0.1"):
        """A live stream that nobody reads, opened, from one of this machine's addresses."""
        connection = socket.create_connection(
            ("127.0.0.1", self.port), timeout=20, source_address=(address, 0))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(
            f"GET /sync{query} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n{headers}\r\n".encode())
        return connection

    def serves(self, headers=None):
        """How long somebody else waits for an answer, in milliseconds."""
        began = time.monotonic()
        status, _ = self.send(query="?group=other", headers=headers)
        assert status == 200, f"others are answered {status}"
        return (time.monotonic() - began) * 1000
