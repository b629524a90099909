"""Attacks on a server, each with what it may cost. `attacks.py [--quick] [NAME…]` runs some."""

import json
import os
import signal
import sys
import threading
import time

from server import JSON, Server

# A debug build takes so much longer than the one that is to be measured.
SLOWER = 1 if os.environ.get("CONFIGURATION", "release") == "release" else 25
ATTACKS = []


def attack(milliseconds=50, megabytes=40, quick=True, **server):
    """Registers an attack: what it may cost in processor time and memory, and the server that it is for."""
    def register(function):
        ATTACKS.append((function, milliseconds, megabytes, quick, server))
        return function
    return register


def expect(actual, *wanted):
    assert actual in wanted, f"answered {actual}, not {wanted}"


def documents(*documents, group="g"):
    return '["^ ","~:group","%s","~:docs",[%s]]' % (group, ",".join(documents))


def document(value, name="d", version=0):
    return '["^ ","~:id","%s","~:version",%d,"~:value",%s]' % (name, version, value)


def nested(levels):
    value = "0"
    for _ in range(levels):
        value = '["~#set",[%s,[]]]' % value
    return value


USERS = {
    "alice": {"token": "right-token-of-alice", "groups": ["*"]},
    "bob": {"token": "right-token-of-bob", "groups": ["*"]},
}
ALICE = {"Authorization": "Bearer right-token-of-alice"}


# Bodies


@attack()
def nested_sets_in_a_scalar_field(server):
    expect(server.push('["^ ","~:group",%s,"~:docs",[]]' % nested(200))[0], 400)
    return "400"


@attack()
def nested_sets_in_a_document(server):
    expect(server.push(documents(document(nested(200))))[0], 200)
    expect(server.send(query="?group=g")[0], 200)
    return "200, and read again"


@attack(milliseconds=800, megabytes=250)
def seventeen_elements_around_a_long_array(server):
    value = "[%s]" % ",".join(["12345678"] * 750_000)
    for _ in range(20):
        value = '["~#set",[%s,%s]]' % (value, ",".join(map(str, range(16))))
    status, _ = server.push('["^ ","~:group",%s,"~:docs",[]]' % value)
    expect(status, 400)
    return "400 for 7 MB"


@attack(milliseconds=1500, megabytes=450)
def a_large_set_with_one_member_twice(server):
    members = ",".join(map(str, range(1_000_000)))
    status, _ = server.push('["^ ","~:group",["~#set",[0,%s]],"~:docs",[]]' % members)
    expect(status, 400)
    return "400 for 7 MB"


@attack(milliseconds=100)
def combining_marks_in_an_id(server):
    expect(server.push(documents(document("1", name="a" + "\u0316\u0301" * 100_000)))[0], 400)
    expect(server.push(documents(document("1", name="a" + "\u0316\u0301" * 200)))[0], 200)
    return "400; 200 with a verdict below 1 kB"


@attack(milliseconds=100)
def combining_marks_in_a_cursor(server):
    marks = "a" + "\u0316\u0301" * 100_000
    status, _ = server.push('["^ ","~:group","g","~:cursor","%s","~:docs",[]]' % marks)
    expect(status, 200, 400)
    return f"{status}"


@attack(milliseconds=200, megabytes=120)
def cache_codes_in_a_push(server):
    # "^5" is the key, after :group, :docs, :id, :version and :value.
    def push(size):
        first = document('["^ ","~:%s",1]' % ("k" * size), name="first")
        return server.push(documents(first, *[document('["^ ","^5",1]', name=str(number)) for number in range(999)]))[0]

    expect(push(20_000), 200)
    expect(push(200_000), 413)
    return "20 MB from 60 kB: 200; 200 MB from 240 kB: 413"


@attack(milliseconds=1000, megabytes=450)
def a_verbose_pull_of_codes(server):
    key = "~:" + "k" * 10_000
    value = '["%s"%s]' % (key, ',"^5"' * 60_000)
    expect(server.push(documents(document(value)))[0], 200)
    status, body = server.send(query="?group=g", headers={"Accept": JSON + "; verbose=true"})
    expect(status, 413)
    expect(server.send(query="?group=g")[0], 200)
    return f"413 instead of 600 MB, {len(body)} bytes"


@attack()
def values_as_deep_as_a_push_may_be(server):
    for number, leaf in enumerate(['"~u531a379e-31bb-4ce1-8690-158dceb64be6"', '"~m0"', "1"]):
        for levels in (490, 500, 505, 506, 507, 508, 509, 510):
            name = f"{number}-{levels}"
            server.push(documents(document("[" * levels + leaf + "]" * levels, name=name)))
    expect(server.send(query="?group=g")[0], 200)
    expect(server.send(query="?group=g", headers={"Accept": "application/transit+msgpack"})[0], 200)
    return "what was taken is told"


@attack()
def a_large_id_is_not_echoed(server):
    status, body = server.push(documents(document("1", name="i" * 1_000_000)))
    expect(status, 400)
    assert len(body) < 1000, "the answer has the id"
    return f"{status}, {len(body)} bytes"


@attack()
def a_name_with_a_line_end_in_the_log(server):
    expect(server.push(documents(document("1"), group="a\\nFORGED line"))[0], 400)
    expect(server.push(documents(document("1"), group="b" * 1_000_000))[0], 400)
    with open(server.log) as log:
        text = log.read()
    assert "FORGED" not in text and len(text) < 10_000, "the log holds what a client sent"
    return "400, nothing of it in the log"


@attack(megabytes=60, milliseconds=200)
def a_body_of_100_megabytes(server):
    head = f"POST /sync HTTP/1.1\r\nHost: localhost\r\nContent-Type: {JSON}\r\nContent-Length: 100000000\r\n\r\n"
    with server.connect() as connection:
        connection.sendall(head.encode())
        try:
            for _ in range(100):
                connection.sendall(b"x" * 1_000_000)
        except OSError:
            pass
        answer = connection.recv(100)
    assert b" 413 " in answer, answer
    return "413"


# Heads


@attack()
def a_long_header(server):
    for name in ("Accept", "Content-Type", "Authorization", "Cookie"):
        marks = ("a" + "\u0316\u0301" * 12_000).encode()
        server.raw(b"GET /sync?group=g HTTP/1.1\r\nHost: localhost\r\n" + name.encode() + b": " + marks
                   + b"\r\nConnection: close\r\n\r\n")
    return "refused"


@attack()
def a_header_below_the_limit(server):
    for name in ("Accept", "Content-Type", "Authorization", "Atomsync-Protocol", "Last-Event-ID"):
        marks = ("a" + "\u0316\u0301" * 3_900).encode()
        server.raw(b"GET /sync?group=g HTTP/1.1\r\nHost: localhost\r\n" + name.encode() + b": " + marks
                   + b"\r\nConnection: close\r\n\r\n")
    return "answered"


@attack()
def a_long_url(server):
    server.raw(b"GET /sync?group=" + b"g" * 5_000_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return "cut off"


@attack(milliseconds=200)
def a_url_that_is_sent_before_anything_is_read(server):
    with server.connect() as connection:
        connection.sendall(b"GET /sync?group=" + b"g" * 8_000_000)
        answer = connection.recv(1000)
    assert b" 400 " in answer, answer[:100]
    return "400, and not lost"


@attack()
def many_parameters(server):
    query = "&".join(["group=g%d" % (number % 900) for number in range(20_000)])
    answer = server.raw(f"GET /sync?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(), timeout=2, until=b"\r\n\r\n")
    assert b" 400 " in answer, answer[:100]
    return "400"


@attack()
def hosts(server):
    expect(server.raw(b"GET /sync?group=g HTTP/1.1\r\n\r\n")[9:12], b"400")
    expect(server.raw(b"GET /sync?group=g HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n")[9:12], b"400")
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil", "[::2]", "127.0.0.1:80:80"):
        expect(server.send(query="?group=g", headers={"Host": host})[0], 403)
    for host in ("localhost", "LOCALHOST:1", "127.9.9.9:80", "[::1]:8090"):
        expect(server.send(query="?group=g", headers={"Host": host})[0], 200)
    return "missing, double: 400; foreign: 403"


@attack()
def a_web_page(server):
    expect(server.send("POST", "", documents(document("1")).encode())[0], 415)
    for headers in ({"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}):
        expect(server.send("POST", "", documents(document("1")).encode(), headers)[0], 415)
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        expect(server.push(documents(document("1")), headers)[0], 403)
    expect(server.send(query="?group=g")[1].count(b"~:id"), 0)
    return "415 without a type, 403 from another origin; nothing written"


@attack()
def an_expectation(server):
    body = documents(document("1")).encode()
    head = (f"POST /sync HTTP/1.1\r\nHost: localhost\r\nContent-Type: {JSON}\r\nExpect: 100-continue\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n")
    with server.connect() as connection:
        connection.sendall(head.encode())
        began = time.monotonic()
        answer = connection.recv(1000)
        waited = time.monotonic() - began
        assert answer.startswith(b"HTTP/1.1 100"), answer
        connection.sendall(body)
        answer = connection.recv(1000)
        assert b" 200 " in answer, answer
    return f"100 after {waited * 1000:.0f} ms"


@attack()
def an_offer_to_upgrade(server):
    offer = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\n"
    body = documents(document("1"))
    first = f"POST /sync HTTP/1.1\r\nHost: localhost\r\nContent-Type: {JSON}\r\n{offer}Content-Length: {len(body)}\r\n\r\n{body}"
    get = f"GET /sync?group=g HTTP/1.1\r\nHost: localhost\r\n{offer}\r\n"
    last = "GET /sync?group=g HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    # One after the other, and all at once.
    with server.connect() as connection:
        for request in (first, get, get, last):
            connection.sendall(request.encode())
            answer = connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200"), answer
    answer = server.raw((first + get + get + last).encode())
    expect(answer.count(b"HTTP/1.1 200"), 4)
    return "ignored: every request is answered"


# Users


@attack(users=USERS, milliseconds=400)
def guessed_tokens(server):
    expect(server.send(query="?group=g", headers=ALICE)[0], 200)
    answers = [server.send(query="?group=g", headers={"Authorization": f"Bearer guess{number}"})[0]
               for number in range(200)]
    expect(answers[0], 401)
    expect(answers[-1], 429)
    expect(server.send(query="?group=g", headers=ALICE)[0], 200)
    return f"429 after {answers.index(429)}; who was in stays in"


@attack(users=USERS)
def a_late_body_of_a_withdrawn_token(server):
    body = documents(document("1")).encode()
    with server.connect() as connection:
        connection.sendall(
            f"POST /sync HTTP/1.1\r\nHost: h\r\nContent-Type: {JSON}\r\nAuthorization: Bearer right-token-of-bob\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body[:10])
        server.let_in({"alice": USERS["alice"]})
        server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 10
        while server.send(query="?group=g", headers={"Authorization": "Bearer right-token-of-bob"})[0] == 200:
            assert time.monotonic() < deadline, "the token is still good"
        connection.sendall(body[10:])
        answer = connection.recv(1000)
    assert b" 401 " in answer, answer
    expect(server.send(query="?group=g", headers=ALICE)[1].count(b"~:id"), 0)
    return "401, nothing written"


@attack()
def a_hangup_without_users(server):
    server.process.send_signal(signal.SIGHUP)
    time.sleep(0.2)
    expect(server.process.poll(), None)
    return "ignored"


# Many


@attack(milliseconds=6000, megabytes=400, quick=False)
def bodies_that_are_withheld(server):
    head = f"POST /sync HTTP/1.1\r\nHost: localhost\r\nContent-Type: {JSON}\r\nContent-Length: 8388608\r\n\r\n"
    connections = []
    for _ in range(150):
        connection = server.connect()
        connection.setblocking(False)
        connections.append((connection, memoryview(head.encode() + b"x" * 8_388_600)))
    began = time.monotonic()
    while connections and time.monotonic() - began < 20:
        left = []
        for connection, data in connections:
            try:
                sent = connection.send(data)
                if sent < len(data):
                    left.append((connection, data[sent:]))
            except BlockingIOError:
                left.append((connection, data))
            except OSError:
                pass
        if len(left) == len(connections):
            time.sleep(0.01)
        connections = left
    peak = server.memory() - server.base
    expect(server.push(documents(document("1")))[0], 200)
    return f"{peak:.0f} MB at most; small pushes go on"


@attack(quick=False, milliseconds=500)
def a_body_of_one_byte_a_second(server):
    with server.connect(timeout=100) as connection:
        connection.sendall(
            f"POST /sync HTTP/1.1\r\nHost: localhost\r\nContent-Type: {JSON}\r\nContent-Length: 1000\r\n\r\n".encode())
        began = time.monotonic()
        connection.settimeout(1)
        while time.monotonic() - began < 90:
            try:
                connection.sendall(b"[")
                if connection.recv(1000) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        took = time.monotonic() - began
    assert took < 60, f"still open after {took:.0f} s"
    return f"closed after {took:.0f} s"


@attack(quick=False, milliseconds=8000, megabytes=150)
def unread_streams_from_the_start(server):
    for page in range(20):
        expect(server.push(documents(*[document('"%s"' % ("x" * 10_000), name=f"{page}-{number}")
                                       for number in range(100)]))[0], 200)
    before = server.memory()
    streams = [server.stream() for _ in range(300)]
    time.sleep(5)
    grown = server.memory() - before
    server.serves()
    for stream in streams:
        stream.close()
    return f"{grown / 300 * 1000:.0f} kB a stream"


def warmed(server):
    """A connection of which the server reads as much at once as it ever does."""
    connection = server.connect()
    connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 2_000_000)
    assert b" 200 " in connection.recv(1000)
    connection.settimeout(1)
    return connection


LIVE = b"GET /sync?group=g HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"


def followed(server, count, data):
    """Has so many connections send a live request and what follows it; the memory that each of them takes."""
    streams = [warmed(server) for _ in range(count)]
    before = server.memory()
    for stream in streams:
        try:
            stream.sendall(LIVE + data)
        except TimeoutError:
            pass
    time.sleep(2)
    grown = server.memory() - before
    server.serves()
    for stream in streams:
        stream.close()
    return f"{grown / count * 1000:.0f} kB a stream"


@attack(quick=False, milliseconds=4000, megabytes=100)
def requests_behind_live_streams(server):
    return followed(server, 200, b"\r\n" + b"GET / HTTP/1.1\r\nHost:a\r\n\r\n" * 9000)


@attack(quick=False, milliseconds=9000, megabytes=60)
def live_streams_with_bodies_in_single_bytes(server):
    return followed(server, 100, b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 60_000)


@attack(quick=False, milliseconds=12000, megabytes=450)
def streams_one_after_the_other(server):
    took = []
    streams = []
    began = time.monotonic()
    for number in range(5000):
        stream = server.stream(address=f"127.0.1.{number // 500}")
        assert stream.recv(1000).startswith(b"HTTP/1.1 200"), "no stream"
        streams.append(stream)
        if number % 1000 == 999:
            took.append(time.monotonic() - began)
            began = time.monotonic()
    grown = server.memory() - server.base
    for stream in streams:
        stream.close()
    return f"{sum(took):.1f} s ({', '.join(f'{part:.1f}' for part in took)}), {grown / 5:.0f} kB each"


@attack(quick=False, milliseconds=3000, megabytes=150)
def thousand_groups_on_each_stream(server):
    query = "?" + "&".join(f"group=g{number}" for number in range(1000))
    streams = [server.stream(query) for _ in range(30)]
    for stream in streams:
        stream.recv(1000)
    time.sleep(4)
    before = server.cpu()
    for number in range(20):
        expect(server.push(documents(document("1", name=str(number)), group=f"g{number}"))[0], 200)
    time.sleep(0.5)
    cost = (server.cpu() - before) / 20
    for stream in streams:
        stream.close()
    assert cost < 20 * SLOWER, f"{cost:.0f} ms a push"
    return f"{cost:.0f} ms a push"


@attack(quick=False, descriptors=256, milliseconds=1500)
def few_descriptors(server):
    connections = []
    for _ in range(600):
        try:
            connections.append(server.connect(timeout=0.2))
        except OSError:
            break
    before = server.cpu()
    time.sleep(3)
    spun = (server.cpu() - before) / 3000
    for connection in connections:
        connection.close()
    assert spun < 0.2, f"{spun:.0%} of a core while nothing happens"
    server.serves()
    return f"{spun:.0%} of a core while full; serves afterwards"


@attack(quick=False, milliseconds=8000, megabytes=200)
def small_pages_over_tombstones(server):
    for page in range(20):
        names = [f"{page}-{number}" for number in range(1000)]
        expect(server.push(documents(*[document("1", name=name) for name in names]))[0], 200)
        gone = ['["^ ","~:id","%s","~:version",1,"~:deleted",true]' % name for name in names]
        expect(server.push(documents(*gone))[0], 200)
    before = server.cpu()
    expect(server.send(query="?group=g&limit=1")[0], 200)
    cost = server.cpu() - before
    assert cost <= 100 * SLOWER, f"{cost:.0f} ms"
    return f"{cost:.0f} ms"


# Running


def run(function, milliseconds, megabytes, server_options):
    with Server(**server_options) as server:
        headers = ALICE if "users" in server_options else None
        server.serves(headers)
        waits, done = [], threading.Event()

        def look():
            while not done.wait(0.02):
                try:
                    waits.append(server.serves(headers))
                except OSError:
                    if not done.is_set():
                        raise

        watcher = threading.Thread(target=look, daemon=True)

        def stop():
            done.set()
            if watcher.is_alive():
                watcher.join(30)

        if function.__name__ not in ("few_descriptors", "guessed_tokens"):
            watcher.start()
        before = server.cpu()
        try:
            result = function(server)
        finally:
            stop()
        cost = server.cpu() - before
        grown = server.memory() - server.base
        assert server.process.poll() is None, "the server has ended"
        assert grown <= megabytes, f"{grown:.0f} MB more memory; {megabytes} allowed"
        assert cost - len(waits) <= milliseconds * SLOWER, f"{cost:.0f} ms of CPU; {milliseconds} allowed"
        slowest = max(waits, default=0)
        assert slowest <= 2000, f"others waited {slowest:.0f} ms"
        return f"{result} | {cost:.0f} ms | {grown:+.0f} MB | {slowest:.0f} ms"


def main():
    names = [name for name in sys.argv[1:] if not name.startswith("--")]
    failures = 0
    print("attack | answer | CPU | memory | others wait at most")
    for function, milliseconds, megabytes, quick, options in ATTACKS:
        name = function.__name__.replace("_", " ")
        if names and function.__name__ not in names or ("--quick" in sys.argv and not quick):
            continue
        try:
            print(f"ok      {name} | {run(function, milliseconds, megabytes, options)}", flush=True)
        except Exception as error:
            failures += 1
            print(f"FAILED  {name} | {type(error).__name__}: {error}", flush=True)
    print(f"{failures} failed")
    sys.exit(1 if failures else 0)


main()
