"""cli.reports.lab_html: the page of the lab in a real browser: its charts are there, and nothing leaves the page."""

from __future__ import annotations

import dataclasses
import html
import json
import re
import shutil
import socketserver
import subprocess
import threading

import pytest

from flatwater import units
from flatwater.cli.reports import lab_html, lab_text
from flatwater.tour.lab import pictures, registry
from flatwater.tour.lab.finding import Finding, Measured
from flatwater.tour.lab.observing import Moment, Observation

MIB = units.MIB
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--force-device-scale-factor=1",
    "--enable-logging=stderr",
]  # fmt: skip
HOSTILE = "</style><script>alert(1)</script><img src=http://127.0.0.1:1/x onerror=alert(2)>"
BROWSERS_OWN = [".google.com", ".googleapis.com", ".gvt1.com"]  # it asks for the time and for updates, when it likes
PROBE = """<output id="seen" hidden></output><script>
addEventListener("load", () => {
  const seen = {width: document.documentElement.scrollWidth, headings: [...document.querySelectorAll("h2")].map(h => h.textContent),
    images: [...document.images].map(image => [image.naturalWidth, image.naturalHeight, image.clientWidth, image.complete]),
    figures: [...document.querySelectorAll("figure")].map(figure => [figure.scrollWidth, figure.clientWidth]),
    rows: document.querySelectorAll("tr").length, scripts: document.scripts.length};
  document.getElementById("seen").textContent = JSON.stringify(seen);
});
</script></body>"""

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="NO BROWSER: the page is not looked at (install chromium)")


def seen(peak, traced=-1, *moments):
    return Observation(1, peak, traced, 1.6, 0.25, moments)


def findings(label="list(range(n))"):
    """Two experiments: one by variant, one by moment, the first with any label."""
    (ranges, cycles) = registry.find(["ranges", "cycles"])
    listed, ranged = ranges.variants
    moments = [
        [Moment("built", 90 * MIB, 90 * MIB, 84 * MIB), Moment("dropped", MIB, 0, size), Moment("collected", MIB, 0, 9)]
        for size in (76 * MIB, 9)
    ]
    return [
        Finding(ranges, ranges.size, small=False, measured=(
            Measured(dataclasses.replace(listed, label=label), seen(383 * MIB), seen(0, 381 * MIB)),
            Measured(ranged, seen(0), seen(0, 416)),
        )),
        Finding(cycles, cycles.size, small=False, measured=tuple(
            Measured(variant, seen(99 * MIB, -1, *steps), seen(0, 84 * MIB, *steps))
            for variant, steps in zip(cycles.variants, moments, strict=True)
        )),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page of two experiments with their charts, whose first program has a hostile name; and that page."""
    pytest.importorskip("matplotlib")
    folder = tmp_path_factory.mktemp("lab")
    found, drawn = findings(HOSTILE), {}
    for finding in found:
        path = folder / f"{finding.experiment.name}.png"
        assert pictures.draw(finding, str(path))
        drawn[finding.experiment.name] = path.read_bytes()
    path = folder / "index.html"
    path.write_text(lab_html.render(found, drawn, 61.5), "utf-8")
    return path


@pytest.fixture(scope="module")
def browse(tmp_path_factory):
    """A function that opens a file in headless Chromium and returns what it printed."""
    profile = tmp_path_factory.mktemp("browser")

    def open_page(path, *flags):
        done = subprocess.run(
            [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", *flags, "--dump-dom", path.as_uri()],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        return done.stdout, done.stderr

    return open_page


@pytest.fixture
def network():
    """A proxy that carries nothing and writes down what it was asked for: `(port, lines)`."""
    lines = []

    class Recorder(socketserver.StreamRequestHandler):
        def handle(self):
            lines.append(self.rfile.readline(4096).decode("latin-1").strip())
            self.wfile.write(b"HTTP/1.1 502 Nothing\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Recorder) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server.server_address[1], lines
        server.shutdown()
        thread.join()


def with_probe(page):
    """The page with a script of the test, which it allows."""
    probed = page.with_name("probed.html")
    text = page.read_text("utf-8").replace("default-src 'none';", "default-src 'none'; script-src 'unsafe-inline';")
    probed.write_text(text.replace("</body>", PROBE), "utf-8")
    return probed


def what_was_seen(dom):
    """What the script wrote down."""
    return json.loads(html.unescape(re.search(r'.*<output id="seen"[^>]*>(.*?)</output>', dom, re.DOTALL)[1]))


@needs_browser
def test_the_page_shows_charts_and_asks_nobody(page, browse, network):
    """The browser decodes both charts and shows every row; the hostile name is text; a proxy hears nothing of the page."""
    port, lines = network
    probed, asking = with_probe(page), page.with_name("asking.html")
    text = page.read_text("utf-8")
    asking.write_text("<!doctype html><img src=http://127.0.0.1:49152/asked>")
    proxy = [f"--proxy-server=127.0.0.1:{port}", "--proxy-bypass-list=<-loopback>", "--window-size=1000,900"]
    dom, log = browse(probed, *proxy)
    by_page, own = lines.copy(), [name for name in BROWSERS_OWN if name not in text]
    assert own == BROWSERS_OWN
    assert [line for line in by_page if not any(name in line for name in own)] == []
    browse(asking, *proxy)
    assert any("127.0.0.1:49152/asked" in line for line in lines)  # the proxy would have heard
    found = what_was_seen(dom)
    assert len(found["images"]) == 2
    for natural_width, natural_height, width, complete in found["images"]:
        assert complete
        assert natural_width > 1000
        assert natural_height > 300
        assert width >= 850
    assert found["rows"] == 3 + 7
    assert found["scripts"] == 1  # the test's own
    assert found["width"] <= 1000
    assert any("Add up numbers" in heading for heading in found["headings"])
    assert "CONSOLE" not in log


@needs_browser
def test_charts_shrink_to_a_narrow_window(page, browse):
    """On a telephone a chart is as wide as its frame: no figure at the end of a bar is cut off."""
    found = what_was_seen(browse(with_probe(page), "--window-size=400,900")[0])
    assert found["width"] <= 520  # the narrowest window that it opens may be 500 wide
    assert len(found["figures"]) == 2
    assert all(needed <= given for needed, given in found["figures"])


def test_the_file_names_nothing_outside(page):
    """Pictures are in the file; nothing else is loaded, nothing runs, and the policy forbids both."""
    text = page.read_text("utf-8")
    loads = [
        tag for tag in re.findall(r"<[a-zA-Z][^<>]*>", text) if re.search(r"\b(src|srcset|action|data|poster)\s*=", tag)
    ]
    assert len(loads) == 2
    assert all(tag.startswith("<img alt=") and 'src="data:image/png;base64,' in tag for tag in loads)
    assert {link for link in re.findall(r'href="([^"]*)"', text) if not link.startswith("#")} == {"data:,"}
    assert not re.search(r"@import|url\(", text)
    assert "<script" not in text
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in text
    assert "script-src" not in text


def test_everything_of_the_programs_is_escaped():
    """Names, reasons and titles with markup come out as text, in an attribute as well."""
    found = findings(HOSTILE)
    bad = '"><img src=x onerror=alert(1)>'
    found[1] = dataclasses.replace(
        found[1], experiment=dataclasses.replace(found[1].experiment, title=bad), failure=bad
    )
    text = lab_html.render(found, {"cycles": b"png"}, 1)
    assert "<img src=x" not in text
    assert "<script" not in text
    assert text.count("&lt;img") >= 3


@pytest.mark.parametrize(
    ("change", "state"),
    [({}, "good"), ({"skipped": "no room", "measured": ()}, "failed"), ({"failure": "it died"}, "failed")],
)
def test_the_verdict_has_its_colour(change, state):
    """Green if all held, amber if something was skipped or failed; an experiment without a chart has none."""
    text = lab_html.render([dataclasses.replace(finding, **change) for finding in findings()], {}, 1)
    assert f'<p class="verdict {state}"><b>2 ' in text
    assert "data:image" not in text


def test_not_held_is_red():
    """A claim that does not hold colours the page and its own section."""
    (ranges, cycles) = findings()
    same = (ranges.measured[0], dataclasses.replace(ranges.measured[1], plain=seen(383 * MIB)))
    text = lab_html.render([dataclasses.replace(ranges, measured=same), cycles], {}, 1)
    assert text.count('<p class="verdict bad">') == 2
    assert "<b>Not held</b>" in text


def test_without_charts_it_says_how_to_get_them():
    """The reason stands on top, and only where there is one."""
    assert "Charts are" not in lab_html.render(findings(), {}, 1)
    text = html.unescape(lab_html.render(findings(), {}, 1, lab_text.WITHOUT_CHARTS))
    assert "Charts are left out, as matplotlib is not installed: pip install 'flatwater[report]' gives them." in text


def test_a_small_run_says_so():
    """The warning stands on top."""
    assert "A small run" not in lab_html.render(findings(), {}, 1)
    assert "A small run: a hundredth" in lab_html.render(
        [dataclasses.replace(one, small=True) for one in findings()], {}, 1
    )
