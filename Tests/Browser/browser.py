"""Pages in headless Chromium, a replica in Swift and a server: what people see, and that nothing is lost. See run.sh.

    browser.py PROGRAMS [PICTURES]      with the programs' folder, and a folder for pictures of the pages
"""

import functools
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from chromium import Browser, Failure

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path(sys.argv[1])
PICTURES = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2] else None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """atomsync-server, at the same port each time it is started."""

    def __init__(self, folder, *options):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.command = [PROGRAMS / "atomsync-server", "--path", f"{folder}/server.db", "--port", str(self.port), *options]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.greeting = self.process.stdout.readline()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)


class Shell:
    """The replica in Swift, at the command line."""

    def __init__(self, folder, server, group):
        self.common = ["--group", group, "--store", f"{folder}/shell.db", "--server", f"{server.url}/sync"]

    def run(self, *arguments):
        done = subprocess.run(
            [PROGRAMS / "atomsync", arguments[0], *self.common, *arguments[1:]], capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise Failure(f"atomsync {arguments}: {done.stderr}{done.stdout}")
        return done.stdout


class Watch:
    """`atomsync watch`, and when it says something."""

    def __init__(self, folder, server, group):
        self.process = subprocess.Popen(
            [PROGRAMS / "atomsync", "watch", "--group", group, "--store", f"{folder}/watch.db", "--server", f"{server.url}/sync"],
            stdout=subprocess.PIPE, text=True, bufsize=1)
        self.lines = []
        self.changed = threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append((time.monotonic(), line))
                self.changed.notify_all()

    def when(self, text, limit=20):
        """The moment at which a line with a text came."""
        def find():
            return next((at for at, line in self.lines if text in line), None)
        with self.changed:
            if not self.changed.wait_for(find, limit):
                raise Failure(f"the replica in Swift does not see {text}")
            return find()

    def stop(self):
        self.process.kill()


def seed(server, group, count, script=None):
    """Documents, by a replica in Node."""
    subprocess.run(["node", "--input-type=module", "-e", f"""
        import {{ open, MemoryStorage, keyword, uuid, Double }} from "{ROOT}/Sources/AtomsyncInspector/Web/replica/atomsync.js";
        const atom = await open({{ server: "{server.url}", group: "{group}", storage: new MemoryStorage() }});
        await atom.sync();
        atom.swap((docs) => {{
          for (let i = 0; i < {count}; i++) docs.set(`todo:${{i}}`, {{ text: `Buy milk ${{i}}`, done: i % 3 === 0, tags: new Set([keyword("home")]), created: new Date(), id: uuid(), score: new Double(i) }});
          {script or ""}
        }});
        await atom.sync();
        await atom.close();"""], check=True, timeout=120)


def picture(page, name):
    if PICTURES:
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.picture(PICTURES / f"{name}.png")


ROW = "[...document.querySelectorAll('.row')].find((row) => row.firstChild.textContent === {})"


def row(name):
    return ROW.format(json.dumps(name))


class Places:
    """What a test works with, and its end."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="atomsync-browser-test-")
        self.ends = []

    def add(self, thing, end):
        self.ends.append(end)
        return thing

    def server(self, *options):
        server = Server(self.folder, *options)
        return self.add(server, server.stop)

    def browser(self, folder=None):
        browser = Browser(folder)
        return self.add(browser, browser.close)

    def close(self):
        for end in reversed(self.ends):
            end()
        shutil.rmtree(self.folder, ignore_errors=True)


def inspector(browser, server, group, **size):
    return browser.open(f"{server.url}/inspector/#{group}", **size)


LIVE = "document.getElementById('status').className === 'live'"


def shown(place, count):
    """A server with some documents, and a page that shows them live."""
    server = place.server()
    seed(server, "todo", count)
    page = inspector(place.browser(), server, "todo")
    page.wait(row("todo:1"))
    page.wait(LIVE)
    return server, page


def edit(page, name, value):
    """As a person does it: by the keyboard."""
    page.run("document.activeElement.blur()")
    page.key("n", "KeyN", "n")
    page.wait("!document.getElementById('editor').hidden")
    page.run("document.getElementById('id').focus()")
    page.type(name)
    page.run("const field = document.getElementById('value'); field.value = ''; field.focus()")
    page.type(value)
    page.run("document.querySelector('#editor button').click()")
    page.wait("document.getElementById('editor').hidden")


def quiet(*pages):
    """Nothing was said in the console: no error, and no violation of the policy."""
    for page in pages:
        if page.messages:
            raise Failure(f"the console says {page.messages[:5]}")


# The tests

def edits_appear(place):
    """Two pages and a replica in Swift on one group."""
    server = place.server()
    if "/inspector/" not in server.greeting:
        raise Failure(f"the greeting does not name the inspector: {server.greeting}")
    browser = place.browser()
    left, right = inspector(browser, server, "todo"), inspector(browser, server, "todo")
    for page in (left, right):
        page.wait(LIVE)
    shell = Shell(place.folder, server, "todo")
    watch = Watch(place.folder, server, "todo")
    place.add(watch, watch.stop)
    shell.run("put", "first", "1")
    watch.when("first")
    # From page to page: both have one clock.
    across = []
    left.run("document.getElementById('editor').addEventListener('submit', () => { window.savedAt = Date.now(); }, true)")
    for number in range(10):
        name = f"news:{number}"
        right.run(f"""window.seen = new Promise((resolve) => {{
            const look = new MutationObserver(() => {{ if ({row(name)}) {{ look.disconnect(); resolve(Date.now()); }} }});
            look.observe(document.getElementById("rows"), {{ childList: true }});
          }}); return 0""")
        edit(left, name, '{:text "new"}')
        across.append(right.run("return await window.seen") - left.run("return window.savedAt"))
        watch.when(name)
    delays = sorted(across)
    shell.run("put", "from-swift", '{:text "hello"}')
    right.wait(row("from-swift"))
    quiet(left, right)
    return f"10 edits from page to page, median {delays[5]:.0f} ms, {delays[-1]:.0f} ms at most; each seen by the replica in Swift"


def offline_and_back(place):
    """Edits while the network is cut, a reload, and the conflict when it is back."""
    server, page = shown(place, 3)
    server.stop()
    page.wait("document.getElementById('status').className === 'failed'")
    page.run(f"{row('todo:1')}.click()")
    page.run("const field = document.getElementById('value'); field.value = '{:text \"mine\"}'; document.querySelector('#editor button').click()")
    edit(page, "offline", '{:text "written offline"}')
    page.wait(f"{row('offline')}?.className.includes('pending')")
    picture(page, "offline")
    # The other device is first.
    page.cut(True)
    server.start()
    shell = Shell(place.folder, server, "todo")
    shell.run("sync")
    shell.run("put", "todo:1", '{:text "theirs"}')
    page.cut(False)
    page.reload()
    page.wait(LIVE, 60)
    text = shell.run("get", "offline")
    if "written offline" not in text:
        raise Failure(f"what was written offline is lost: {text}")
    now = shell.run("get", "todo:1")
    conflict = page.run("return document.getElementById('conflicts').textContent")
    if "mine" not in now and "mine" not in conflict:
        raise Failure(f"an edit is neither there nor in a conflict: {now} {conflict}")
    if "mine" not in now:
        picture(page, "conflict")
        page.run("[...document.querySelectorAll('#conflicts button')].find((each) => each.textContent === 'Use mine').click()")
        page.wait("document.getElementById('conflicts').hidden")
        page.wait("document.getElementById('status').textContent === 'This page: live'")
        shell.run("sync")
        if "mine" not in shell.run("get", "todo:1"):
            raise Failure("“Use mine” does not bring it back")
    return f"nothing lost; the conflict {'was shown, and recovered' if 'mine' not in now else 'was won'}"


def killed(place):
    """kill -9 of the browser in the middle of writing: what was said to be saved is there."""
    server = place.server()
    profile = tempfile.mkdtemp(prefix="atomsync-browser-")
    saved = 0
    for attempt in range(4):
        browser = place.browser(profile)
        page = inspector(browser, server, "todo")
        page.wait(LIVE)
        page.run(f"""
            const {{ open }} = await import("{server.url}/inspector/replica/atomsync.js");
            window.saved = 0;
            const atom = await open({{ server: "http://127.0.0.1:1", group: "kill" }});
            (async () => {{
              for (let i = 0; i < 100000; i++) {{
                const number = atom.value.size;
                await atom.swap((docs) => docs.set(`n${{number}}`, number)).saved;
                window.saved = atom.value.size;
              }}
            }})();""")
        # When the kill comes is the test's own choice: earlier or later in the writing.
        time.sleep(0.3 + 0.2 * attempt)
        saved = page.run("return window.saved")
        browser.kill()
        browser = place.browser(profile)
        page = inspector(browser, server, "todo")
        found = page.run(f"""
            const {{ open }} = await import("{server.url}/inspector/replica/atomsync.js");
            const atom = await open({{ server: "http://127.0.0.1:1", group: "kill" }});
            const size = atom.value.size;
            await atom.close();
            return size;""")
        if found < saved:
            raise Failure(f"{saved} documents were saved, and {found} are there")
        browser.kill()
    return f"4 kills, {saved} documents saved before the last, {found} there"


def database_deleted(place):
    """IndexedDB is deleted under a page: it says so, and the next page reads everything again."""
    _, page = shown(place, 20)
    page.run("""
        const names = (await indexedDB.databases()).map(({ name }) => name);
        await Promise.all(names.map((name) => new Promise((resolve) => { indexedDB.deleteDatabase(name).onsuccess = resolve; })));""")
    page.wait("document.getElementById('status').textContent.includes('deleted the database')")
    page.reload()
    page.wait(row("todo:1"))
    page.wait(LIVE)
    return "the page says so, and reads everything again"


def many(place):
    """10,000 documents: listed, scrolled, searched."""
    server = place.server()
    seed(server, "many", 10_000)
    browser = place.browser()
    page = inspector(browser, server, "many")
    first = page.run("""
        while (!document.querySelector(".row")) await new Promise(requestAnimationFrame);
        return performance.now()""")
    page.wait("document.getElementById('count').textContent === '10,000 documents'", 60)
    complete = page.run("return performance.now()")
    page.wait(LIVE)
    page.reload()
    again = page.run("""
        while (!document.querySelector(".row")) await new Promise(requestAnimationFrame);
        return performance.now()""")
    frames = page.run("""
        const box = document.getElementById("documents");
        await new Promise((resolve) => setTimeout(resolve, 2000));
        let count = 0;
        const began = performance.now();
        while (performance.now() - began < 3000) {
          box.scrollTop += 90;
          await new Promise(requestAnimationFrame);
          count += 1;
        }
        return count / ((performance.now() - began) / 1000)""", 60)
    picture(page, "many")
    searched = page.run("""
        const field = document.getElementById("search");
        field.value = "todo:777";
        const began = performance.now();
        field.dispatchEvent(new Event("input"));
        while (!document.getElementById("count").textContent.startsWith("11 of")) await new Promise(requestAnimationFrame);
        return performance.now() - began""")
    shown = page.run("return document.querySelectorAll('.row').length")
    if shown > 100:
        raise Failure(f"{shown} rows are in the page")
    quiet(page)
    return (f"first paint after {first:.0f} ms, everything after {complete:.0f} ms; after a reload {again:.0f} ms; "
            f"scrolling at {frames:.0f} frames a second; a search in {searched:.0f} ms")


HOSTILE = """
    docs.set("<img src=x onerror=alert(1)>", { text: "<script>window.hacked = true</script>", html: "</textarea><b>bold</b>" });
    docs.set("rtl \\u202e gnissecorp", "\\u202e\\u2066 turned \\u0007".slice(0, 11));
    docs.set("long", "x".repeat(1000000));
    docs.set("__proto__", { constructor: 1, toString: 2 });
    docs.set("deep", JSON.parse("[".repeat(200) + "]".repeat(200)));
"""


def hostile(place):
    """What looks like markup is text, and long or deep values are shown in part."""
    server = place.server()
    seed(server, "hostile", 0, HOSTILE)
    browser = place.browser()
    page = inspector(browser, server, "hostile")
    page.wait("document.querySelectorAll('.row').length === 5")
    picture(page, "hostile")
    for number in range(5):
        page.run(f"document.querySelectorAll('.row')[{number}].click()")
        page.wait("!document.getElementById('editor').hidden")
    state = page.run("""return [window.hacked, document.querySelectorAll("img, main b, main script").length, {}.constructor === Object,
        document.querySelector("main").textContent.includes("<script>")]""")
    if state != [None, 0, True, True]:
        raise Failure(f"{state}")
    if page.run("return document.documentElement.scrollWidth > innerWidth"):
        raise Failure("the page is wider than the window")
    if page.run("return [...document.querySelectorAll('.row')].some((row) => /[\\u202e\\u2066]/.test(row.textContent))"):
        raise Failure("a text turns the direction of writing")
    quiet(page)
    return "shown as text; the policy was violated by nothing"


def tokens(place):
    """With users the page asks for a token, shows the user's groups, and leaves nothing behind."""
    users = os.path.join(place.folder, "users.json")
    with open(users, "w") as file:
        json.dump({"alice": {"token": "abc123", "groups": ["todo"]}, "root": {"token": "root99", "groups": ["*"]}}, file)
    server = place.server("--users", users, "--inspector")
    request = urllib.request.Request(
        f"{server.url}/sync", b'["^ ","~:group","other","~:docs",[["^ ","~:id","a","~:version",0,"~:value",1]]]',
        {"Content-Type": "application/transit+json", "Authorization": "Bearer root99"})
    urllib.request.urlopen(request).read()
    browser = place.browser()
    page = browser.open(f"{server.url}/inspector/")
    page.wait("!document.getElementById('login').hidden")
    picture(page, "token")
    page.run("document.getElementById('token').value = 'wrong'; document.querySelector('#login button').click()")
    page.wait("document.getElementById('status').textContent.includes('not valid')")
    page.run("document.getElementById('token').value = 'abc123'; document.querySelector('#login button').click()")
    page.wait(LIVE)
    edit(page, "mine", "1")
    page.wait("document.getElementById('status').textContent === 'This page: live'")
    page.wait("document.getElementById('groups').textContent.includes('todo')", 30)
    left = page.run("""return [(await indexedDB.databases()).length, localStorage.length, sessionStorage.length, document.cookie,
        document.getElementById("groups").textContent.includes("other"), document.querySelectorAll("figure").length]""")
    if left != [0, 0, 0, "", False, 0]:
        raise Failure(f"{left}")
    return "a wrong token is told, the right one lets in; no other group, no figures, nothing kept"


def todo_page(place):
    """The example: two tabs and a replica in Swift, and no server for a while."""
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    files = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=ROOT))
    threading.Thread(target=files.serve_forever, daemon=True).start()
    place.add(files, files.shutdown)
    origin = f"http://127.0.0.1:{files.server_port}"
    server = place.server("--cors-origin", origin)
    browser = place.browser()
    url = f"{origin}/Docs/Examples/todo.html?server={server.url}"
    left, right = browser.open(url, 500, 600), browser.open(url, 500, 600)

    def add(page, text):
        page.run("document.getElementById('text').focus()")
        page.type(text)
        page.key("Enter", "Enter", "\r")

    def shows(page, text, timeout=20):
        page.wait(f"document.getElementById('list').textContent.includes({json.dumps(text)})", timeout)

    for page in (left, right):
        page.wait("document.getElementById('status').textContent.includes('live')")
    add(left, "Buy milk")
    shows(right, "Buy milk")
    right.run("document.querySelector('#list input').click()")
    left.wait("document.querySelector('#list li').className === 'done'")
    server.stop()
    left.wait("document.getElementById('status').textContent.includes('waiting')")
    add(left, "Written offline")
    shows(left, "Written offline")
    left.reload()
    shows(left, "Written offline")
    picture(left, "todo-offline")
    # A closed tab's edits are sent by the one that stays.
    add(right, "From a closed tab")
    shows(right, "From a closed tab")
    right.close()
    server.start()
    left.reload()
    left.wait("document.getElementById('status').textContent.includes('0 to send, live')", 60)
    shows(left, "From a closed tab", 60)
    shell = Shell(place.folder, server, "todos")
    shell.run("sync")
    text = shell.run("get")
    for each in ["Buy milk", "Written offline", "From a closed tab"]:
        if each not in text:
            raise Failure(f"{each} is lost: {text}")
    # The terminal's list, with its own store.
    terminal = subprocess.Popen(
        [PROGRAMS / "TodoList", f"{place.folder}/terminal.db", f"{server.url}/sync"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    place.add(terminal, terminal.kill)
    for line in terminal.stdout:
        if "[x] Buy milk" in line:
            break
    terminal.stdin.write("add From the terminal\n")
    terminal.stdin.flush()
    shows(left, "From the terminal")
    picture(left, "todo")
    return "two tabs, a reload offline, a closed tab's edit and the terminal: all lists are one"


def many_tabs(place):
    """More tabs than a browser has connections to one server."""
    server = place.server()
    browser = place.browser()
    pages = [inspector(browser, server, "todo") for _ in range(8)]
    for page in pages:
        page.wait("/^(live|polling)$/.test(document.getElementById('status').className)", 60)
    states = [page.run("return document.getElementById('status').className") for page in pages]
    for number, page in enumerate(pages):
        edit(page, f"tab{number}", "1")
    for page in pages:
        page.wait("document.getElementById('count').textContent === '8 documents' && !document.querySelector('.pending')", 60)
    return f"8 tabs, {states.count('live')} with a stream and {states.count('polling')} without: each edit is in all of them"


def edited_meanwhile(place):
    """A document that changes or goes while it is edited is not written over without a word."""
    server, page = shown(place, 3)
    shell = Shell(place.folder, server, "todo")
    shell.run("sync")
    for name, command in [("todo:1", ["put", "todo:1", "5"]), ("todo:2", ["delete", "todo:2"])]:
        page.run(f"{row(name)}.click()")
        shell.run(*command)
        page.wait(f"!{row(name)} || {row(name)}.textContent.includes('v2')")
        page.run("document.getElementById('value').value = '7'; document.querySelector('#editor button').click()")
        said = page.run("return document.getElementById('problem').textContent")
        if "again" not in said:
            raise Failure(f"{name} is written over: {said}")
        page.run("document.querySelector('#editor button').click()")
        page.wait("document.getElementById('editor').hidden")
        page.wait(f"{row(name)}?.textContent.includes('7')")
    return "it is said first, and done when it is asked for again"


def looks(place):
    """Dark, light and on a phone: for the pictures, and that nothing overflows."""
    server = place.server()
    seed(server, "todo", 200)
    seed(server, "notes", 20)
    browser = place.browser()
    page = inspector(browser, server, "todo")
    page.wait(row("todo:1"))
    page.wait("document.querySelectorAll('figure').length === 4")
    page.wait("document.querySelector('polyline').points.length >= 3")
    for name, width, height, is_dark in [("light", 1280, 800, False), ("dark", 1280, 800, True), ("phone", 390, 800, True)]:
        page.resize(width, height, width < 600)
        page.dark(is_dark)
        page.run(f"{row('todo:1')}?.click(); await new Promise((resolve) => setTimeout(resolve, 300))")
        picture(page, name)
        if page.run("return document.documentElement.scrollWidth > innerWidth"):
            raise Failure(f"the page is wider than the window ({name})")
        page.key("Escape")
    page.resize(1280, 800)
    # By keyboard alone.
    page.run("document.activeElement.blur()")
    page.key("/", "Slash", "/")
    page.type("todo:19")
    page.wait("document.getElementById('count').textContent.startsWith('11 of')")
    page.run("document.getElementById('documents').focus()")
    page.key("ArrowDown")
    page.key("Enter", "Enter", "\r")
    page.wait("!document.getElementById('editor').hidden")
    page.key("Escape")
    page.wait("document.getElementById('editor').hidden")
    quiet(page)
    return "nothing overflows; chosen, opened and closed by keys"


TESTS = [
    edits_appear, edited_meanwhile, offline_and_back, killed, database_deleted, many, many_tabs, hostile, tokens, todo_page, looks]


def main():
    failures = 0
    chosen = sys.argv[3:] or [test.__name__ for test in TESTS]
    for test in TESTS:
        if test.__name__ not in chosen:
            continue
        place = Places()
        began = time.monotonic()
        try:
            said = test(place)
            print(f"ok      {test.__name__}: {said} ({time.monotonic() - began:.1f} s)", flush=True)
        except (Failure, subprocess.SubprocessError, OSError) as error:
            failures += 1
            print(f"FAILED  {test.__name__}: {error}", flush=True)
        finally:
            place.close()
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
