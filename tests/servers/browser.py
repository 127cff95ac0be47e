"""Headless Chromium for tests: a page that is opened, typed into and looked at, over its debugging pipe."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import time

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-dev-shm-usage", "--no-proxy-server", "--hide-scrollbars", "--remote-debugging-pipe",
]  # fmt: skip
PATIENCE_S = 20.0
VIRTUAL = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowUp": 38, "ArrowDown": 40}


class Browser:
    """One page. Commands of Chrome's protocol, one at a time; what was said in its console and which dialogs opened is kept."""

    def __init__(self, profile):
        to_browser, self._to = os.pipe()
        self._from, from_browser = os.pipe()
        script = f'exec "$@" 3<&{to_browser} 4>&{from_browser}'  # its pipe is at these numbers
        self._process = subprocess.Popen(
            ["/bin/bash", "-c", script, "browser", CHROMIUM, *FLAGS, f"--user-data-dir={profile}"],
            pass_fds=(to_browser, from_browser), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_browser)
        os.close(from_browser)
        os.set_blocking(self._from, False)
        self._buffer = b""
        self._number = 0
        self._session = None
        self.said = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")
        self.ask("Emulation.setFocusEmulationEnabled", enabled=True)

    def ask(self, method, **params):
        """The result of a command."""
        self._number += 1
        number = self._number
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + PATIENCE_S
        while True:
            heard = self._hear(until)
            if heard.get("id") == number:
                assert "error" not in heard, heard["error"]
                return heard["result"]

    def _hear(self, until):
        while b"\0" not in self._buffer:
            assert time.monotonic() < until, "the browser does not answer"
            with contextlib.suppress(BlockingIOError):
                part = os.read(self._from, 1 << 20)
                assert part, "the browser ended"
                self._buffer += part
                continue
            time.sleep(0.005)
        line, _, self._buffer = self._buffer.partition(b"\0")
        heard = json.loads(line)
        if heard.get("method") in {"Page.javascriptDialogOpening", "Runtime.exceptionThrown", "Log.entryAdded"}:
            self.said.append(heard)
        if heard.get("method") == "Network.requestWillBeSent":
            self.said.append({"asked": heard["params"]["request"]["url"]})
        return heard

    def asked(self):
        """The addresses that were asked for since it was last told."""
        urls = [each["asked"] for each in self.said if "asked" in each]
        self.said = [each for each in self.said if "asked" not in each]
        return urls

    def see(self, expression):
        """The value of an expression in the page."""
        told = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def wait(self, expression):
        """Until an expression is true, which it returns; one that fails is of a page that is not there yet."""
        until = time.monotonic() + PATIENCE_S
        while not (value := self.see(f"(() => {{ try {{ return {expression} }} catch {{ return null }} }})()")):
            assert time.monotonic() < until, f"never: {expression}; the page: {self.see('document.body?.innerText')}"
            time.sleep(0.02)
        return value

    def open(self, url):
        """A page, loaded."""
        self.ask("Page.navigate", url=url)
        self.wait(f"location.href === {json.dumps(url)} && document.readyState === 'complete'")

    def key(self, name, text="", *, modifiers=0):
        """One key, pressed and let go; modifiers: 1 is Alt, 2 Control, 8 Shift."""
        own = {"key": name, "code": {"/": "Slash"}.get(name, name), "modifiers": modifiers}
        if name == "Enter":
            text = "\r"
        if name in VIRTUAL:
            own["windowsVirtualKeyCode"] = VIRTUAL[name]
        self.ask("Input.dispatchKeyEvent", type="keyDown", text=text or (name if len(name) == 1 else ""), **own)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **own)

    def type(self, text):
        """Into what has the focus."""
        self.ask("Input.insertText", text=text)

    def click(self, selector):
        """The middle of an element."""
        x, y = self.see(
            f"(() => {{ const element = document.querySelector({json.dumps(selector)}); element.scrollIntoView({{block: 'center'}});"
            "const box = element.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2] })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def look(self, *, width=1000, height=900, scheme="light"):
        """How wide the window and the page are."""
        self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        return self.see("document.documentElement.scrollWidth")

    def picture(self, path):
        """What is seen, as a PNG file."""
        path.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"]))

    def close(self):
        os.close(self._to)  # it ends with its pipe
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._from)
