"""Headless Chromium, driven by its debugging protocol over a pipe. Python's standard library only."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import threading


class Failure(Exception):
    pass


class Browser:
    def __init__(self, folder=None):
        program = shutil.which("chromium") or shutil.which("google-chrome")
        if not program:
            raise Failure("Chromium is not installed.")
        self.folder = folder or tempfile.mkdtemp(prefix="atomsync-browser-")
        requests, self.output = os.pipe()
        self.input, answers = os.pipe()

        def connect():
            # The protocol is spoken on these two.
            low, high = os.dup(requests), os.dup(answers)
            os.dup2(low, 3)
            os.dup2(high, 4)

        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-timer-throttling", "--disable-renderer-backgrounding",
             "--disable-backgrounding-occluded-windows", "--remote-debugging-pipe", f"--user-data-dir={self.folder}"],
            preexec_fn=connect, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        os.close(requests)
        os.close(answers)
        self.number, self.answers, self.pages = 0, {}, {}
        self.changed = threading.Condition()
        threading.Thread(target=self.receive, daemon=True).start()

    def receive(self):
        rest = b""
        while True:
            piece = os.read(self.input, 1 << 20)
            if not piece:
                break
            *messages, rest = (rest + piece).split(b"\0")
            for message in map(json.loads, messages):
                with self.changed:
                    if "id" in message:
                        self.answers[message["id"]] = message
                    elif message.get("sessionId") in self.pages:
                        self.pages[message["sessionId"]].heard(message)
                    self.changed.notify_all()
        with self.changed:
            self.answers = None
            self.changed.notify_all()

    def send(self, method, parameters=None, session=None, timeout=60):
        with self.changed:
            self.number += 1
            number = self.number
        message = {"id": number, "method": method, "params": parameters or {}}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.output, data):]
        with self.changed:
            if not self.changed.wait_for(lambda: self.answers is None or number in self.answers, timeout):
                raise Failure(f"no answer to {method}")
            if self.answers is None:
                raise Failure("the browser has ended")
            answer = self.answers.pop(number)
        if "error" in answer:
            raise Failure(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def open(self, url, width=1280, height=800):
        target = self.send("Target.createTarget", {"url": "about:blank", "newWindow": True})["targetId"]
        session = self.send("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        page = self.pages[session] = Page(self, target, session)
        for domain in ["Page", "Runtime", "Network", "Log"]:
            page.send(f"{domain}.enable")
        page.resize(width, height)
        page.go(url)
        return page

    def kill(self):
        """Ends it as a power cut does."""
        os.killpg(self.process.pid, 9)
        self.process.wait()

    def close(self):
        if self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Page:
    def __init__(self, browser, target, session):
        self.browser, self.target, self.session = browser, target, session
        self.loads, self.messages = 0, []

    def send(self, method, parameters=None, timeout=60):
        return self.browser.send(method, parameters, self.session, timeout)

    def heard(self, message):
        method, parameters = message["method"], message["params"]
        if method == "Page.loadEventFired":
            self.loads += 1
        elif method == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.messages.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning"):
            self.messages.append(" ".join(str(each.get("value", each.get("description"))) for each in parameters["args"]))
        elif method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.messages.append(f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}")

    def go(self, url):
        loads = self.loads
        self.send("Page.navigate", {"url": url})
        self.loaded(loads)

    def reload(self):
        loads = self.loads
        self.send("Page.reload")
        self.loaded(loads)

    def loaded(self, loads):
        with self.browser.changed:
            if not self.browser.changed.wait_for(lambda: self.loads > loads, 60):
                raise Failure("the page does not load")

    def run(self, script, timeout=60):
        """The value of a script, which may await."""
        answer = self.send("Runtime.evaluate", {
            "expression": f"(async () => {{ {script} }})()", "awaitPromise": True, "returnByValue": True}, timeout)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise Failure(details.get("exception", {}).get("description") or details["text"])
        return answer["result"].get("value")

    def wait(self, condition, timeout=20):
        """Until a condition holds; looked at in each frame. Returns how long it took, in milliseconds."""
        return self.run(f"""
            const began = performance.now();
            while (!(await (async () => ({condition}))())) {{
              if (performance.now() - began > {timeout * 1000}) throw new Error("never: " + {json.dumps(condition)});
              await new Promise((resolve) => setTimeout(resolve, 4));
            }}
            return performance.now() - began;""", timeout + 30)

    def key(self, key, code=None, text=None):
        for kind in ["keyDown", "keyUp"]:
            event = {"type": kind, "key": key, "code": code or key}
            if text and kind == "keyDown":
                event["text"] = text
            self.send("Input.dispatchKeyEvent", event)

    def type(self, text):
        self.send("Input.insertText", {"text": text})

    def cut(self, is_cut):
        self.send("Network.emulateNetworkConditions", {
            "offline": is_cut, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1})

    def resize(self, width, height, is_phone=False):
        self.send("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone})

    def dark(self, is_dark):
        self.send("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}]})

    def picture(self, path):
        data = self.send("Page.captureScreenshot", {"format": "png"})["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def close(self):
        self.browser.send("Target.closeTarget", {"targetId": self.target})
