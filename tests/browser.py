"""Headless Chromium for the tests of pages, driven by the DevTools protocol over a pipe.

    with Browser() as browser:
        page = browser.open(live(y).html, width=390, dark=True)
        page.set("input[data-label='x']", 2.5)
        assert page.attribute("[data-label='y']", "data-value") == "6.25"
        assert page.errors == []

Clicks, keys and the pointer are real: the browser finds out what they hit. Nothing is installed
but Chromium itself. The fixture ``browser`` (``tests/conftest.py``) is one browser for all tests,
and skips where there is none.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, (
    "chromium", "chromium-browser", "google-chrome", "chrome"))), None)
OPTIONS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-sync",
           "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb",
           "--remote-debugging-pipe"]
PATIENCE = 60.0  # seconds for one answer

# Chromium reads the pipe at 3 and writes at 4; only a process of our own may renumber its files.
_LAUNCH = ("import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); "
           "os.execv(sys.argv[3], sys.argv[3:])")

# Keys by the name that the page is told, and the number that the browser itself goes by.
KEYS = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Home": 36, "End": 35,
        "Tab": 9, "Enter": 13, "Escape": 27, " ": 32}


class BrowserError(Exception):
    """The browser refused a command, or an expression threw an error."""


class Browser:
    """A running Chromium; a context manager, or call ``close()``."""

    def __init__(self) -> None:
        if CHROMIUM is None:
            raise BrowserError("no Chromium on this machine")
        self._folder = tempfile.TemporaryDirectory(prefix="pages-", ignore_cleanup_errors=True)
        to_browser, self._write = _pipe()
        self._read, from_browser = _pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-c", _LAUNCH, str(to_browser), str(from_browser), CHROMIUM,
             *OPTIONS, f"--user-data-dir={self._folder.name}/profile", "about:blank"],
            pass_fds=(to_browser, from_browser), stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self._unread, self._count, self._pages = b"", 0, 0
        self._events: list[dict[str, Any]] = []

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the browser and delete what it wrote."""
        self._process.terminate()
        self._process.wait(timeout=PATIENCE)
        os.close(self._write)
        os.close(self._read)
        self._folder.cleanup()

    def open(self, page: str | Path, width: int = 1280, height: int = 800, dark: bool = False,
             reduced_motion: bool = False, fragment: str = "", touch: bool = False) -> Tab:
        """A new tab that shows a page.

        Args:
            page: HTML text, or the path of a file.
            width, height: of the window, in pixels.
            dark: whether the reader prefers dark pages.
            reduced_motion: whether the reader prefers that nothing moves.
            fragment: behind the page's address, such as "#step=3".
            touch: whether the screen is one to be touched.
        """
        if isinstance(page, str):
            self._pages += 1
            path = Path(self._folder.name) / f"page{self._pages}.html"
            path.write_text(page, encoding="utf-8")
        else:
            path = page.resolve()
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = Tab(self, target, session)
        tab.resize(width, height)
        tab.prefer(dark, reduced_motion)
        tab.send("Emulation.setTouchEmulationEnabled", enabled=touch)
        for domain in ("Page", "Runtime", "Log"):
            tab.send(f"{domain}.enable")
        tab.send("Page.navigate", url=path.as_uri() + fragment)
        tab.wait("document.readyState === 'complete' && location.protocol === 'file:'")
        return tab

    def send(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """A command of the DevTools protocol, and its answer."""
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        sent = json.dumps(message).encode() + b"\0"
        while sent:
            sent = sent[os.write(self._write, sent):]
        while True:
            answer = self._receive()
            if answer.get("id") == self._count:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error'].get('message')}")
                result: dict[str, Any] = answer["result"]
                return result
            self._events.append(answer)

    def _receive(self) -> dict[str, Any]:
        until = time.monotonic() + PATIENCE
        while b"\0" not in self._unread:
            ready, _, _ = select.select([self._read], [], [], max(0.0, until - time.monotonic()))
            part = os.read(self._read, 1 << 20) if ready else b""
            if not part:
                raise BrowserError("Chromium has ended" if ready else
                                   f"no answer from Chromium in {PATIENCE:.0f} seconds")
            self._unread += part
        message, _, self._unread = self._unread.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer

    def events(self, session: str) -> list[dict[str, Any]]:
        """What a tab has reported so far, oldest first."""
        return [event for event in self._events if event.get("sessionId") == session]


def _pipe() -> tuple[int, int]:
    """The two ends of a pipe, both beyond the numbers that Chromium's files will have."""
    ends = os.pipe()
    moved = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
    for end in ends:
        os.close(end)
    return moved[0], moved[1]


class Tab:
    """One page in a browser. A selector is CSS, and means the first element that it fits."""

    def __init__(self, browser: Browser, target: str, session: str) -> None:
        self.browser, self._target, self._session = browser, target, session

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command of the DevTools protocol to this tab."""
        return self.browser.send(method, self._session, **parameters)

    def close(self) -> None:
        """Close the tab."""
        self.browser.send("Target.closeTarget", targetId=self._target)

    # --- reading --------------------------------------------------------------------------------

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, as JSON gives it; a promise is waited for.

        Raises:
            BrowserError: when it throws.
        """
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True, userGesture=True)
        if "exceptionDetails" in answer:
            raise BrowserError(_thrown(answer["exceptionDetails"]))
        result = answer["result"]
        if "unserializableValue" in result:
            return float(result["unserializableValue"].replace("Infinity", "inf"))
        return result.get("value")

    def attribute(self, selector: str, name: str) -> str | None:
        """An attribute of an element; None where the element has none of that name."""
        found: str | None = self._of(selector, f".getAttribute({json.dumps(name)})")
        return found

    def attributes(self, selector: str, name: str) -> list[str | None]:
        """An attribute of all elements that the selector fits, in the order of the document."""
        found: list[str | None] = self.evaluate(
            f"Array.from(document.querySelectorAll({json.dumps(selector)}), "
            f"e => e.getAttribute({json.dumps(name)}))")
        return found

    def text(self, selector: str = "body") -> str:
        """The text of an element as it is seen; of SVG, as it stands."""
        found: str = self._of(selector, ".innerText ?? found.textContent")
        return found

    def count(self, selector: str) -> int:
        """How many elements the selector fits."""
        return int(self.evaluate(f"document.querySelectorAll({json.dumps(selector)}).length"))

    @property
    def errors(self) -> list[str]:
        """Errors that nobody caught, what was written to the console, and what was refused."""
        self.evaluate("0")  # what has been reported is then here
        found = []
        for event in self.browser.events(self._session):
            of = event.get("params", {})
            if event["method"] == "Runtime.exceptionThrown":
                found.append(_thrown(of["exceptionDetails"]))
            elif event["method"] == "Runtime.consoleAPICalled":
                found.append(" ".join(str(argument.get("value", argument.get("description")))
                                      for argument in of["args"]))
            elif event["method"] == "Log.entryAdded":
                found.append(of["entry"]["text"])
        return found

    def wait(self, expression: str, seconds: float = 20.0) -> None:
        """Wait until an expression is true.

        Raises:
            BrowserError: when it is not in time.
        """
        until = time.monotonic() + seconds
        while not self.evaluate(expression):
            if time.monotonic() > until:
                raise BrowserError(f"not true after {seconds:.0f} seconds: {expression}")
            time.sleep(0.02)

    # --- doing ----------------------------------------------------------------------------------

    def set(self, selector: str, value: Any) -> None:
        """Give an input or a select a value, as a hand does: with its events."""
        self._of(selector, f"""; if (found.type === "checkbox") found.checked = {json.dumps(value)};
            else found.value = {json.dumps(value)};
            for (const name of ["input", "change"])
              found.dispatchEvent(new Event(name, {{bubbles: true}}))""")

    def click(self, selector: str) -> None:
        """Click into the middle of an element; it is scrolled into view before."""
        x, y = self.hover(selector)
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def tap(self, selector: str) -> None:
        """Touch the middle of an element; the tab must have been opened with ``touch=True``."""
        x, y = self._middle(selector)
        self.send("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        self.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def hover(self, selector: str) -> tuple[float, float]:
        """Put the pointer over the middle of an element, and return where that is."""
        x, y = self._middle(selector)
        self.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        return x, y

    def focus(self, selector: str) -> None:
        """Give an element the focus."""
        self._of(selector, ".focus()")

    def press(self, *keys: str) -> None:
        """Press keys, such as "ArrowRight", "Home", "Tab", " " or "7", where the focus is."""
        for key in keys:
            text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
            code = KEYS.get(key, ord(key.upper()) if len(key) == 1 else 0)
            common = {"key": key, "windowsVirtualKeyCode": code, "nativeVirtualKeyCode": code}
            self.send("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown",
                      text=text, **common)
            self.send("Input.dispatchKeyEvent", type="keyUp", **common)

    def resize(self, width: int, height: int) -> None:
        """Make the window that large, in pixels."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)

    def prefer(self, dark: bool = False, reduced_motion: bool = False) -> None:
        """What the reader prefers."""
        self.send("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion",
             "value": "reduce" if reduced_motion else "no-preference"}])

    def screenshot(self, path: str | Path, whole: bool = False) -> Path:
        """Write a PNG of the window, or of the whole page however long it is."""
        Path(path).write_bytes(self.picture(whole))
        return Path(path)

    def picture(self, whole: bool = False) -> bytes:
        """The same as the bytes of a PNG file."""
        answer = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole,
                           **self._whole_page() if whole else {})
        return base64.b64decode(answer["data"])

    def _whole_page(self) -> dict[str, Any]:
        size = self.send("Page.getLayoutMetrics")["cssContentSize"]
        return {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"],
                         "scale": 1}}

    def smallest_text(self) -> float:
        """The size in pixels, as it is seen, of the smallest text in the page."""
        return float(self.evaluate("""(() => {
            let smallest = Infinity;
            const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
            while (walk.nextNode()) {
              const parent = walk.currentNode.parentElement;
              if (!walk.currentNode.data.trim() || parent.closest("script, style, title, .hidden")
                  || !parent.getClientRects().length) continue;
              let size = parseFloat(getComputedStyle(parent).fontSize);
              const svg = parent.closest("svg");
              if (svg) { const m = parent.getScreenCTM(); size *= Math.hypot(m.a, m.b); }
              smallest = Math.min(smallest, size);
            }
            return smallest;
        })()"""))

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(self.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def _middle(self, selector: str) -> tuple[float, float]:
        x, y = self._of(selector, """; (() => {
            found.scrollIntoView({block: "nearest", inline: "nearest", behavior: "instant"});
            const box = found.getBoundingClientRect();
            return [(box.left + box.right) / 2, (box.top + box.bottom) / 2]; })()""")
        return x, y

    def _of(self, selector: str, then: str) -> Any:
        """What follows the element in an expression; ``found`` is the element."""
        return self.evaluate(f"""{{ const found = document.querySelector({json.dumps(selector)});
            if (!found) throw new Error("no element fits " + {json.dumps(selector)});
            found{then} }}""")


def _thrown(details: dict[str, Any]) -> str:
    text: str = details.get("exception", {}).get("description", details["text"])
    return text
