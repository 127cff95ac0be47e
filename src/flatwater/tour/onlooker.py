"""A browser that looks at what the tour serves: Chromium, if it is on the machine, outside of the tour's limit.

Covers:     starting it when a step says that it will serve, the console's live rows, telling what it showed, its end.
Not here:   serving (`tour.steps.serve_rows`), the console (`live.serving.pages`).
Holds:      a thread, a process of another program, and what that says: `limits.TOUR_BROWSER_SAID_BYTES`.

It is a reader, as a colleague's browser would be: what it takes is no part of the promise. Step and onlooker are in two processes, and leave
each other small files in a folder. Commands go through Chromium's debugging pipe, with which it ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from typing import Any, Self, final

from flatwater import errors, limits

SOON, ADDRESS, READY, SAW = "soon", "address", "ready", "saw"  # of the files
SQL = "SELECT * FROM accounts WHERE id <= 200"  # as many as the console shows of one query, and the last one
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    "--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--no-proxy-server", "--remote-debugging-pipe",
    "--no-sandbox",  # in containers and for root there is none, and it opens nothing but our own page
)  # fmt: skip
_START = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execvp(sys.argv[3], sys.argv[3:])"
)
_XDG = {
    "XDG_CONFIG_HOME": ".config",
    "XDG_CACHE_HOME": ".cache",
    "XDG_DATA_HOME": ".local/share",
    "XDG_STATE_HOME": ".local/state",
    "XDG_RUNTIME_DIR": ".run",
}  # below its home
_POLL_S = 0.05
_CLOSE_S = 5.0  # for it to end by itself
_READ_BYTES = 1 << 16
_SHOWN = "!document.getElementById('work').hidden && document.querySelector('#tables details') !== null"
_FOLLOW = f"""(() => {{
    const editor = document.getElementById('editor'); editor.focus(); editor.value = {json.dumps(SQL)};
    editor.dispatchEvent(new Event('input', {{bubbles: true}})); document.getElementById('live').click(); return true }})()"""
_LIVE = "document.querySelector('.live .mark')?.textContent === 'Live'"
_ROWS = "document.querySelectorAll('#panels tbody tr').length"
_END = "document.getElementById('panels').innerText.includes('the end')"


@final
class Onlooker:
    """Watches a folder in a `with`, and opens what is served. For one use.

    Args:
        folder: in which a step leaves `soon` (a browser is started) and `address`, and is told `ready` and what it `saw`.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="flatwater-tour-onlooker")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        if not self._told(SOON):
            return
        program = next(filter(None, map(shutil.which, _NAMES)), "")
        if not program:
            write(self._folder, READY, "no Chromium is on this machine, so no browser looked")
            return
        profile = os.path.join(self._folder, "profile")
        try:
            with contextlib.closing(_Chromium(program, profile, self._end)) as browser:
                browser.start()
                if address := self._told(ADDRESS):
                    self._look(browser, address)
        except (OSError, ValueError, KeyError, errors.FlatwaterError) as error:
            write(self._folder, READY, f"Chromium could not look at it: {error}")
            write(self._folder, SAW, f"Chromium did not show all of it: {error}")
        finally:
            shutil.rmtree(profile, ignore_errors=True)

    def _told(self, name: str) -> str:
        """What a file says, as soon as it is there; empty if the end comes first."""
        while not (text := read(self._folder, name)):
            if self._end.wait(_POLL_S):
                return ""
        return text

    def _look(self, browser: _Chromium, address: str) -> None:
        browser.open(address)
        browser.wait(_SHOWN)
        browser.see(_FOLLOW)
        browser.wait(_LIVE)
        write(self._folder, READY, "yes")
        browser.wait(_END)
        write(
            self._folder, SAW,
            f"a browser (Chromium, outside of the limit) had the console open: its live query, there before the first row, showed "
            f"{browser.see(_ROWS):,} rows in the end, the last one among them",
        )  # fmt: skip


def read(folder: str, name: str) -> str:
    """What one of the files says; empty if it is not there."""
    try:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            return file.read(_READ_BYTES)
    except OSError:
        return ""


def write(folder: str, name: str, text: str) -> None:
    """Leave one of the files, whole; nothing if the folder has gone."""
    path = os.path.join(folder, name)
    with contextlib.suppress(OSError):
        with open(f"{path}.part", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(f"{path}.part", path)


def waited_for(folder: str, name: str, seconds: float) -> str:
    """What one of the files says, as soon as it is there; empty if it does not come in time."""
    until_s = time.monotonic() + seconds
    while not (text := read(folder, name)) and time.monotonic() < until_s:
        time.sleep(_POLL_S)
    return text


def _environ(profile: str) -> dict[str, str]:
    """What it leaves goes with its profile, and nothing below the user's home: crash reports, settings of the desktop, certificates."""
    home = os.path.join(profile, "home")
    places = {name: os.path.join(home, folder) for name, folder in _XDG.items()}
    for place in places.values():
        os.makedirs(place, mode=0o700, exist_ok=True)
    return {**os.environ, "HOME": home, **places, "TMPDIR": "."}  # sockets have short names only


class _Chromium:
    """One page. What is asked of it is given up when `end` is set."""

    def __init__(self, program: str, profile: str, end: threading.Event) -> None:
        import fcntl

        os.makedirs(profile, exist_ok=True)
        self._end = end
        self._buffer = b""
        self._number = 0
        self._session = ""
        pipes = [*os.pipe(), *os.pipe()]
        high = []
        try:
            # Beyond the numbers that it takes them by.
            high = [fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 10) for number in pipes]
            self._process = subprocess.Popen(  # noqa: S603 - found on PATH, as a user would
                [
                    sys.executable,
                    "-I",
                    "-S",
                    "-c",
                    _START,
                    str(high[0]),
                    str(high[3]),
                    program,
                    *_FLAGS,
                    f"--user-data-dir={profile}",
                ],
                pass_fds=(high[0], high[3]),
                cwd=profile,
                env=_environ(profile),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except BaseException:
            for number in high:
                os.close(number)
            raise
        finally:
            for number in pipes:
                os.close(number)
        os.close(high[0])
        os.close(high[3])
        self._to, self._from = high[1], high[2]

    def start(self) -> None:
        """An empty page."""
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def open(self, url: str) -> None:
        """Go to an address."""
        self._ask("Page.navigate", url=url)

    def see(self, expression: str) -> Any:
        """The value of an expression in the page; None if it fails."""
        told = self._ask("Runtime.evaluate", expression=expression, returnByValue=True)
        return told.get("result", {}).get("value")

    def wait(self, expression: str) -> Any:
        """The value of an expression as soon as it is true.

        Raises:
            BrokenError: it never was.
        """
        until_s = time.monotonic() + limits.TOUR_BROWSER_S
        while not (value := self.see(f"(() => {{ try {{ return {expression} }} catch {{ return null }} }})()")):
            if time.monotonic() > until_s:
                raise errors.BrokenError(f"the page never came to {expression!r}.")
            self._end.wait(_POLL_S)
        return value

    def close(self) -> None:
        """It ends with its pipe, or is killed."""
        os.close(self._to)
        try:
            self._process.wait(_CLOSE_S)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        os.close(self._from)

    def _ask(self, method: str, **params: object) -> dict[str, Any]:
        self._number += 1
        message: dict[str, object] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        until_s = time.monotonic() + limits.TOUR_BROWSER_S
        while True:
            heard = json.loads(self._line(until_s))
            if heard.get("id") == self._number:
                if "error" in heard:
                    raise errors.BrokenError(f"{method}: {heard['error'].get('message')}.")
                result: dict[str, Any] = heard["result"]
                return result

    def _line(self, until_s: float) -> bytes:
        while b"\0" not in self._buffer:
            if self._end.is_set():
                raise errors.BrokenError("nobody waits for it any more.")
            if time.monotonic() > until_s or len(self._buffer) > limits.TOUR_BROWSER_SAID_BYTES:
                raise errors.BrokenError("it does not answer.")
            if select.select([self._from], [], [], _POLL_S)[0]:
                part = os.read(self._from, _READ_BYTES)
                if not part:
                    raise errors.BrokenError("it ended.")
                self._buffer += part
        line, _, self._buffer = self._buffer.partition(b"\0")
        return line
