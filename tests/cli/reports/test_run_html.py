"""cli.reports.run_html: a real run's page, opened in a real browser: the chart is drawn, and nothing leaves the page."""

from __future__ import annotations

import html
import json
import re
import shutil
import socketserver
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PIL import Image

from flatwater import units
from flatwater.cli.reports import run_html
from flatwater.meter.suspects import Frame, Suspect
from flatwater.watch.result import RunResult

MIB = units.MIB
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--force-device-scale-factor=1",
    "--enable-logging=stderr", "--proxy-server=127.0.0.1:9",  # the browser's own curiosity ends on this machine
]  # fmt: skip
HOSTILE = "</script><img src=http://127.0.0.1:1/x onerror=alert(1)>"
JOB = f"""{Path(__file__).parents[1].joinpath("until_sampled.py").read_text("utf-8")}
rows = []
for n in range(48):
    rows.append(bytes(range(256)) * 4096)  # </pre><img src=http://127.0.0.1:1/y onerror=alert(2)>
    sampled(1)  # each MiB is a point of the chart, however busy the machine is
"""
HEIGHT = 860
WATER = {"light": (0x1F, 0x7A, 0xB8), "dark": (0x58, 0xB0, 0xEA)}
PAPER = {"light": (255, 255, 255), "dark": (0x10, 0x16, 0x1C)}
PROBE = """<output id="seen" hidden></output><script>
const look = () => {  // again after each resizing: the window gets its size while the page loads
  const box = svg.getBoundingClientRect();
  svg.dispatchEvent(new MouseEvent("mousemove", {clientX: box.left + box.width / 2, clientY: box.top + 50}));
  const seen = {box: [box.left, box.top, box.width, box.height], tip: tip.textContent, shown: tip.style.visibility,
    images: document.images.length, scripts: document.scripts.length, heading: document.querySelector("h1").textContent};
  svg.dispatchEvent(new MouseEvent("mouseleave"));
  seen.left = tip.style.visibility;
  document.getElementById("seen").textContent = JSON.stringify(seen);
};
addEventListener("load", look);
new ResizeObserver(look).observe(document.body);
</script></body>"""

BROWSERS_OWN = [
    ".google.com",
    ".googleapis.com",
    ".gvt1.com",
    ".gstatic.com",
]  # it asks for the time and for updates, when it likes

needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="NO BROWSER: the report is not looked at (install chromium)"
)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The page of a real run of a program that is hostile to it."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "job.py").write_text(JOB)
    path = folder / "report.html"
    command = [sys.executable, "-m", "flatwater", "run", "-q", "--budget", "128MiB", "--html", str(path), "--"]
    subprocess.run([*command, sys.executable, "job.py", HOSTILE], check=True, timeout=60, cwd=folder)
    return path


@pytest.fixture(scope="module")
def browse(tmp_path_factory):
    """A function that opens a file in headless Chromium and returns what it printed."""
    profile = tmp_path_factory.mktemp("browser")

    def open_page(path, *flags):
        done = subprocess.run(
            [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", *flags, path.as_uri()],
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
            line = self.rfile.readline(4096).decode("latin-1").strip()
            if not line:
                return  # the browser made a connection ahead, and asked for nothing
            lines.append(line)
            self.wfile.write(b"HTTP/1.1 502 Nothing\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Recorder) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server.server_address[1], lines
        server.shutdown()
        thread.join()


def with_probe(report):
    """A copy of the page that also says what the browser made of it."""
    copy = report.with_name("probed.html")
    copy.write_text(report.read_text("utf-8").replace("</body>", PROBE), "utf-8")
    return copy


def framed(page, width):
    """The page in a frame of this width: a headless window cannot be narrower than 500 pixels."""
    copy = page.with_name(f"framed-{width}.html")
    inner = html.escape(page.read_text("utf-8"), quote=True)
    copy.write_text(
        f'<!doctype html><body style="margin:0"><iframe id="frame" width="{width}" height="{HEIGHT}" style="border:0" '
        f'srcdoc="{inner}"></iframe><output id="seen"></output><script>onload = () => {{ '
        'const page = document.getElementById("frame").contentDocument; const seen = JSON.parse(page.getElementById("seen").textContent); '
        "seen.page = page.documentElement.scrollWidth; seen.text = getComputedStyle(page.querySelector('svg text')).fontSize; "
        'document.getElementById("seen").textContent = JSON.stringify(seen) }</script></body>',
        "utf-8",
    )
    return copy


def seen_in(dom):
    return json.loads(html.unescape(re.search(r'.*<output id="seen"[^>]*>(.*?)</output>', dom, re.DOTALL)[1]))


def corners(dom, name):
    data = re.search(rf'<path class="{name}" d="([^"]*)"', dom)[1]
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](-?[0-9.]+),(-?[0-9.]+)", data)]


def pixels(path):
    """`(width, height, a function that gives the colour at a column and row)` of a picture."""
    with Image.open(path) as picture:
        whole = picture.convert("RGB")
    return *whole.size, lambda column, row: whole.getpixel((column, row))


def is_near(colour, wanted, slack=80):  # of a thin line, half a pixel's paper is mixed in
    return all(abs(a - b) <= slack for a, b in zip(colour, wanted, strict=True))


@needs_browser
@pytest.mark.parametrize(
    ("scheme", "width"),
    [
        ("light", 700),
        pytest.param("dark", 700, marks=pytest.mark.slow),
        pytest.param("light", 360, marks=pytest.mark.slow),
    ],
)
def test_the_chart_is_drawn(report, browse, tmp_path, scheme, width):
    """Where the data says the line is, the screenshot has the line's colour: light, dark, and on a telephone."""
    picture = tmp_path / "page.png"
    flags = [f"--window-size=720,{HEIGHT}", f"--blink-settings=preferredColorScheme={int(scheme == 'light')}"]
    dom, _log = browse(framed(with_probe(report), width), *flags, "--dump-dom", f"--screenshot={picture}")
    seen, page = seen_in(dom), report.read_text("utf-8")
    left, top, box_width, box_height = seen["box"]
    view_width, view_height = map(float, re.search(r'viewBox="0 0 ([0-9.]+) ([0-9.]+)"', page).groups())
    line = corners(page, "anon")
    assert len(line) >= 20
    assert all(74 <= x <= view_width - 20 and 18 <= y <= view_height - 34 for x, y in line)
    assert min(y for _x, y in line) < view_height * 0.7 < max(y for _x, y in line)  # it rises
    shot_width, shot_height, colour_at = pixels(picture)
    assert (shot_width, shot_height) == (720, HEIGHT)
    hits = looked_at = 0
    for x, y in line:
        column, row = left + x * box_width / view_width, top + y * box_height / view_height
        if not (2 <= column < width - 20 and 2 <= row < top + box_height):
            continue  # scrolled out of a narrow page
        looked_at += 1
        near = [colour_at(round(column) + dx, round(row) + dy) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        hits += any(is_near(colour, WATER[scheme]) for colour in near)
    assert looked_at >= 8
    assert hits >= 0.9 * looked_at  # the mark of the peak covers some
    assert seen["page"] <= width  # only the chart scrolls, in its own box
    assert int(seen["text"].removesuffix("px")) * box_width / view_width >= 8  # and its words can be read
    assert is_near(colour_at(3, 3), PAPER[scheme], slack=2)


@needs_browser
def test_the_page_works_and_says_no_error(report, browse):
    """The pointer shows time and both sizes in the middle of the chart; the browser's console stays empty."""
    dom, log = browse(with_probe(report), "--window-size=1000,1000", "--dump-dom")
    seen = seen_in(dom)
    assert (seen["shown"], seen["left"]) == ("visible", "hidden")
    tip = re.fullmatch(r"([0-9.]+) s: ([0-9.]+) MiB anonymous, ([0-9.]+) MiB resident", seen["tip"])
    assert tip
    assert 5 < float(tip[2]) <= float(tip[3]) < 60
    assert "CONSOLE" not in log


@needs_browser
def test_a_hostile_command_is_text(report, browse):
    """Markup in an argument or in a source line is shown, makes no element, and runs nothing."""
    dom, log = browse(with_probe(report), "--dump-dom")
    seen = seen_in(dom)
    assert HOSTILE in seen["heading"]
    assert (seen["images"], seen["scripts"]) == (0, 3)  # data, code, and the test's own
    assert "127.0.0.1" not in log


def asked(lines, hosts):
    return [line for line in lines if any(host in line for host in hosts)]


@needs_browser
def test_no_request_leaves_the_page(report, browse, network, tmp_path):
    """A proxy sees nothing of the report that it does not see of an empty page, but does see a page that asks."""
    port, lines = network
    flags = [f"--proxy-server=127.0.0.1:{port}", "--proxy-bypass-list=<-loopback>", "--dump-dom"]
    empty, asking = tmp_path / "empty.html", tmp_path / "asking.html"
    empty.write_text("<!doctype html><title>empty</title>")
    asking.write_text(
        "<!doctype html><img src=http://127.0.0.1:49152/asked><link rel=stylesheet href=http://example.invalid/s.css>"
    )
    by_page = {}
    for page in (empty, asking, report):
        browse(page, *flags)
        by_page[page] = lines.copy()
        lines.clear()
    assert asked(by_page[asking], ["127.0.0.1:49152/asked"])
    assert asked(by_page[asking], ["example.invalid"])
    own = [name for name in BROWSERS_OWN if name not in report.read_text("utf-8")]
    assert own == BROWSERS_OWN  # so that what is left out below cannot have been the page
    for page in (empty, report):
        assert [line for line in by_page[page] if not asked([line], own)] == []


def test_the_file_names_nothing_outside(report):
    """No address is loaded from anywhere: no src, no import, no url, no link but an empty icon; the policy forbids it too."""
    text = report.read_text("utf-8")
    tags = re.findall(r"<[a-zA-Z][^<>]*>", text)  # the program's own text has no bare angle brackets
    loads = [tag for tag in tags if re.search(r"\b(src|srcset|href|action|data|poster|background)\s*=", tag)]
    assert loads == ['<link rel="icon" href="data:,">']
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    assert not re.search(r"@import|url\(|expression", style)
    assert "default-src 'none'" in text
    code = "".join(re.findall(r"<script[^>]*>(.*?)</script>", text, re.DOTALL))
    assert not re.search(r"fetch|XMLHttp|import\(|WebSocket|sendBeacon|//", code)


def page_of(**figures):
    result = RunResult(["job"])
    for name, value in figures.items():
        setattr(result, name, value)
    return run_html.render(result)


def test_a_run_that_was_never_sampled_has_a_page():
    """Without a history there is a sentence instead of a chart, and the only figure is called an upper end."""
    text = page_of(peak_kind="interval", peak_rss=8 * MIB, peak_rss_upper=8 * MIB)
    assert "no timeline to draw" in text
    assert "peak resident, at most" in text
    assert "<svg" not in text
    assert "<script" not in text


@pytest.mark.parametrize(
    ("figures", "state"),
    [
        ({}, "good"),
        ({"exit_code": 3}, "failed"),
        ({"exit_code": 137, "killed": True, "budget_bytes": 64 * MIB}, "bad"),
        ({"exit_code": 1, "refused": True, "budget_bytes": 64 * MIB}, "bad"),
    ],
)
def test_the_verdict_has_its_colour(figures, state):
    """Green for held, red for killed or refused, amber for a program that failed by itself."""
    assert f'class="verdict {state}"' in page_of(**figures)


def test_everything_of_the_programs_is_escaped():
    """File names, functions, stacks, notes and sources with markup come out as text."""
    bad = "<img src=x onerror=alert(1)>"
    frame, inner = Frame(f"{bad}.py", 1, bad), Frame(f'"{bad}', 2, f"'{bad}")
    suspect = Suspect(frame, inner, growth_bytes=MIB, asks=1, stack=(frame, inner), largest_bytes=MIB)
    text = page_of(argv=[bad, "\x1b", "\udcff"], suspects=[suspect], suspects_growth=MIB, notes=[bad], limit_note=bad)
    assert "<img" not in text
    assert text.count("&lt;img") >= 6
    assert "\x1b" not in text


def test_points_cannot_end_their_script():
    """JSON in the page has no '<', whatever the data."""
    assert "<" not in run_html._script_json(["</script><!--", 1])
    assert json.loads(run_html._script_json(["</script>"])) == ["</script>"]


def test_a_long_history_stays_a_small_page():
    """Two thousand points make a page of less than 400 KiB, in which the last point is the last of the data."""
    result = RunResult(["job"])
    for tick in range(100_000):
        result.timeline.add(tick / 100, rss=tick * 5000, anon=tick * 4000)
    text = run_html.render(result)
    assert len(text) < 400 * units.KIB
    data = json.loads(re.search(r'<script id="points"[^>]*>(.*?)</script>', text)[1])
    assert data[-1] == [999.99, 99_999 * 5000, 99_999 * 4000]
    assert Path(run_html.__file__).with_name("templates").is_dir()
