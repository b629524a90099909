"""Drives the examples of Docs/Examples: see examples.sh."""

import os
import pathlib
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

PROGRAMS = pathlib.Path(sys.argv[1])
SECONDS = 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Window:
    """A todo list in a terminal of its own."""

    def __init__(self, folder, name, server):
        self.name = name
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [PROGRAMS / "TodoList", folder / f"{name}.db", server],
            stdin=slave, stdout=slave, stderr=slave, close_fds=True)
        os.close(slave)
        self.shown = ""

    def type(self, line):
        os.write(self.master, (line + "\n").encode())

    def screen(self):
        """What is on the screen: what came since it was cleared last."""
        while select.select([self.master], [], [], 0)[0]:
            self.shown += os.read(self.master, 65536).decode(errors="replace")
        return self.shown.split("\x1b[2J\x1b[H")[-1].replace("\r", "")

    def expect(self, pattern, what):
        """Waits until the screen shows the pattern; returns the seconds that took."""
        began = time.monotonic()
        while not re.search(pattern, self.screen(), re.M):
            if self.process.poll() is not None:
                raise SystemExit(f"FAILED: {what}: window {self.name} has ended")
            if time.monotonic() - began > SECONDS:
                raise SystemExit(f"FAILED: {what}: window {self.name} shows\n{self.screen()}")
            select.select([self.master], [], [], 0.01)
        return time.monotonic() - began

    def quit(self):
        self.type("quit")
        if self.process.wait(SECONDS) != 0:
            raise SystemExit(f"FAILED: window {self.name} ended with {self.process.returncode}")


def serve(program, arguments, port):
    process = subprocess.Popen([PROGRAMS / program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        select.select([], [], [], 0.05)
    raise SystemExit(f"FAILED: {program} does not listen")


def stop(process):
    process.send_signal(signal.SIGTERM)
    if process.wait(SECONDS) != 0:
        raise SystemExit(f"FAILED: a server ended with {process.returncode}")


def todo_list(folder):
    port = free_port()
    arguments = ["--path", str(folder / "server.db"), "--port", str(port)]
    server = serve("atomsync-server", arguments, port)
    url = f"http://127.0.0.1:{port}/sync"
    left, right = Window(folder, "left", url), Window(folder, "right", url)
    left.expect(r"0 todos, 0 pending, live", "the first window is live")
    right.expect(r"0 todos, 0 pending, live", "the second window is live")

    left.type("add Buy milk")
    left.expect(r"^1\. \[ \] Buy milk$", "what is typed is shown")
    seconds = right.expect(r"^1\. \[ \] Buy milk$", "the other window shows it")
    print(f"ok: a todo is in the other window after {seconds * 1000:.0f} ms")
    right.type("done 1")
    left.expect(r"^1\. \[x\] Buy milk$", "what is done there is done here")
    right.type("done 7")
    right.expect(r"There is no todo 7\.", "a number that is not there is told")

    stop(server)
    left.expect(r"offline", "the window tells that it is offline")
    left.type("add Written offline")
    left.expect(r"^2\. \[ \] Written offline\n-- 2 todos, 1 pending, offline", "it works offline")
    left.quit()
    left = Window(folder, "left", url)
    left.expect(r"^2\. \[ \] Written offline$", "it is there after a restart")
    server = serve("atomsync-server", arguments, port)
    right.expect(r"^2\. \[ \] Written offline\n-- 2 todos, 0 pending, live", "it arrives when the server is back")
    print("ok: what was written offline is there after a restart, and arrives when the server is back")
    left.quit()
    right.quit()
    stop(server)


def counting_service(folder):
    port = free_port()
    service = serve("CountingService", [str(folder / "documents.db"), str(port)], port)
    shell = [PROGRAMS / "atomsync", "--server", f"http://127.0.0.1:{port}/sync", "--group", "todo", "--store",
             str(folder / "shell.db")]
    for number, done in (1, "false"), (2, "true"), (3, "false"):
        subprocess.run([*shell, "put", f"todo:{number}", f'{{"isDone" {done}}}'], check=True, capture_output=True)
    end = time.monotonic() + SECONDS
    while True:
        found = subprocess.run([*shell, "get", "summary"], capture_output=True, text=True).stdout
        if re.search(r":open 2", found) and re.search(r":done 1", found):
            break
        if time.monotonic() > end:
            raise SystemExit(f"FAILED: the service counts {found!r}")
    print(f"ok: the counting service counts {found.strip()}")
    stop(service)


with tempfile.TemporaryDirectory() as name:
    todo_list(pathlib.Path(name))
    counting_service(pathlib.Path(name))
