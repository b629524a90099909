"""Has replicas sync over slow and over foreign links: 20 KB/s, and nginx as it comes."""

import os
import shutil
import subprocess
import time
import uuid

import proxy
import wire
import workshop
from programs import Failure, Program, Server, die_with_parent, free_port

GROUP = "links"


class Shell:
    """A replica at the command line."""

    def __init__(self, options, folder, storage, port):
        self.program = os.path.join(options.programs, "atomsync")
        self.common = ["--group", GROUP, "--store", os.path.join(folder, "replica." + storage), "--storage", storage]
        self.server = ["--server", f"http://127.0.0.1:{port}/sync"]

    def run(self, *arguments, offline=False, limit=600):
        command = [self.program, *arguments, *self.common, *(["--offline"] if offline else self.server)]
        ended = subprocess.run(command, capture_output=True, text=True, preexec_fn=die_with_parent, timeout=limit)
        if ended.returncode != 0:
            raise Failure(f"{arguments[0]} ended with {ended.returncode}: {ended.stderr[-500:]} {ended.stdout[-500:]}")
        return ended.stdout

    def sync(self):
        return self.run("sync", "--wait", "600")


class Nginx(Program):
    """nginx in front of a server, with the settings that it has by itself."""

    def __init__(self, folder, server):
        super().__init__("nginx", folder)
        self.folder, self.server, self.port = folder, server, free_port()

    def start(self):
        path = os.path.join(self.folder, "nginx.conf")
        with open(path, "w") as file:
            file.write(f"""
                {"user root; " if os.getuid() == 0 else ""}daemon off; pid {self.folder}/nginx.pid; error_log {self.log};
                events {{}}
                http {{
                  access_log off; gzip on;
                  client_body_temp_path {self.folder}/body; proxy_temp_path {self.folder}/proxy;
                  fastcgi_temp_path {self.folder}/f; uwsgi_temp_path {self.folder}/u; scgi_temp_path {self.folder}/s;
                  server {{
                    listen 127.0.0.1:{self.port};
                    location / {{ proxy_pass http://127.0.0.1:{self.server.port}; }}
                  }}
                }}""")
        self.configuration = path
        self.spawn()
        workshop.until("nginx's start", 10, self.answers)

    def command(self):
        return [shutil.which("nginx", path="/usr/sbin:/usr/bin") or "nginx", "-c", self.configuration]

    def answers(self):
        try:
            return wire.request(self.port, "GET", "/sync?group=none")[0] == 200
        except OSError:
            return False


class Watch(Program):
    """`atomsync watch`, line by line."""

    def __init__(self, folder, shell):
        super().__init__("watch", folder)
        self.shell = shell

    def command(self):
        return [self.shell.program, "watch", *self.shell.common, *self.shell.server]

    def wait_for(self, text, limit):
        began = time.monotonic()
        while text.encode() not in self.said:
            left = limit - (time.monotonic() - began)
            if left <= 0:
                raise Failure(f"{text} was not seen within {limit} s")
            self.read(left)
        return time.monotonic() - began


def fill(server, count):
    client = str(uuid.uuid4())
    for number in range(0, count, 1000):
        rows = [(f"d{index}", 0, f"value {index} " + "x" * 80) for index in range(number, number + 1000)]
        status, answer = wire.push(server.port, GROUP, client, number // 1000 + 1, rows, timeout=60)
        if status != 200 or answer["rejected"]:
            raise Failure(f"the documents could not be pushed: {status}")


def put_large(shell):
    """2 MiB in 20 documents."""
    for number in range(20):
        shell.run("put", f"large{number}", '"' + "abcdefgh" * (2 * 1024 * 1024 // 20 // 8) + '"', offline=True)


def check_large(server):
    documents = wire.everything(server.port, GROUP)
    size = sum(len(value) for name, (_, value) in documents.items() if name.startswith("large"))
    if size < 2 * 1024 * 1024 - 200:
        raise Failure(f"the server has {size} bytes of the large documents")


def slow_link(storage, options):
    def run(place):
        server = place.add(Server(options.programs, storage, place.folder))
        server.start()
        slow = proxy.Proxy(server, options.seed, rate=options.rate)
        place.last.append(slow.close)
        fill(server, 10_000)
        shell = Shell(options, place.folder, storage, slow.port)
        began = time.monotonic()
        shell.sync()
        first = time.monotonic() - began
        count = shell.run("get", offline=True).count('"value ')
        if count != 10_000:
            raise Failure(f"the replica has {count} documents")
        put_large(shell)
        began = time.monotonic()
        shell.sync()
        check_large(server)
        return f"10,000 documents in {first:.0f} s, 2 MiB pushed in {time.monotonic() - began:.0f} s"

    return run


def behind_nginx(storage, options):
    def run(place):
        server = place.add(Server(options.programs, storage, place.folder))
        server.start()
        nginx = place.add(Nginx(place.folder, server))
        nginx.start()
        fill(server, 10_000)
        shell = Shell(options, place.folder, storage, nginx.port)
        began = time.monotonic()
        shell.sync()
        first = time.monotonic() - began
        put_large(shell)
        began = time.monotonic()
        shell.sync()
        push = time.monotonic() - began
        check_large(server)
        watch = place.add(Watch(place.folder, shell))
        watch.spawn()
        client, delays = str(uuid.uuid4()), []
        # What comes before the stream is open comes with a pull: only then there is something to measure.
        wire.push(server.port, GROUP, client, 1, [("first", 0, "now")])
        watch.wait_for("first", 30)
        for number in range(2, 13):
            name = f"news{number}"
            wire.push(server.port, GROUP, client, number, [(name, 0, "now")])
            delays.append(watch.wait_for(name, 5))
        return (
            f"10,000 documents in {first:.1f} s, 2 MiB pushed in {push:.1f} s, news after"
            f" {sorted(delays)[5] * 1000:.0f} ms, {max(delays) * 1000:.0f} ms at most")

    return run


def main():
    parser = workshop.parser(__doc__)
    parser.add_argument("--rate", type=int, default=20_000, help="bytes a second, each way")
    options = parser.parse_args()
    tests = []
    for storage in options.storage.split(","):
        tests.append((f"{options.rate / 1000:g} KB/s, {storage}", 1200, slow_link(storage, options)))
        tests.append((f"behind nginx, {storage}", 300, behind_nginx(storage, options)))
    workshop.main(options, tests)


if __name__ == "__main__":
    main()
