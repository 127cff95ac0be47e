"""cli.reports.compare_html: the page of a comparison, opened in a real browser: the chart is drawn, and nothing leaves it."""

from __future__ import annotations

import json
import re
import runpy
from html import unescape
from pathlib import Path

import pytest
from PIL import Image

from flatwater.cli.reports import compare_html
from flatwater.proof.points import ScenarioFailed

COMPARED = runpy.run_path(str(Path(__file__).parents[2] / "proof" / "compared.py"))
compared, fails_from = COMPARED["compared"], COMPARED["fails_from"]
BROWSER = runpy.run_path(str(Path(__file__).with_name("test_run_html.py")))
browse, network, needs_browser = BROWSER["browse"], BROWSER["network"], BROWSER["needs_browser"]
is_near, asked = BROWSER["is_near"], BROWSER["asked"]
MIB = 1 << 20
HOSTILE = "<img src=http://127.0.0.1:1/x onerror=alert(1)>"
ERROR = ScenarioFailed(f"{HOSTILE} at n=40,000 failed.", n=40_000, output=f"Traceback\n{HOSTILE}\n")
COLOURS = {"light": [(0x00, 0x72, 0xB2), (0xC2, 0x4F, 0x00)], "dark": [(0x4F, 0xA8, 0xE0), (0xF0, 0x8A, 0x4B)]}
WIDTH, HEIGHT = 1100, 1300
PROBE = """<output id="seen" hidden></output><script>
addEventListener("load", () => {
  const shown = view => getComputedStyle(document.querySelector(".plot." + view)).display;
  const box = document.getElementById("chart-log").getBoundingClientRect();
  const seen = {box: [box.left, box.top, box.width, box.height], before: [shown("linear"), shown("log")],
    page: document.documentElement.scrollWidth, images: document.images.length, scripts: document.scripts.length,
    cells: [...document.querySelectorAll("#figures td:last-child")].map(cell => cell.textContent)};
  document.querySelector("label[for=linear]").click();
  seen.after = [shown("linear"), shown("log")];
  document.querySelector("label[for=log]").click();
  document.getElementById("seen").textContent = JSON.stringify(seen);
});
</script></body>"""


def page_of(formulas=None, **options):
    formulas = formulas or {"all": lambda n: 400 * n, "batched": lambda n: MIB}
    return compare_html.render(compared(formulas, **options))


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The page of a comparison whose names and outputs are hostile to it."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    formulas = {"all": lambda n: 400 * n, "batched": lambda n: MIB, HOSTILE: fails_from(40_000, ERROR)}
    path.write_text(page_of(formulas, target="10M", budget="256 MiB"), "utf-8")
    return path


def with_probe(report):
    """A copy that also says what the browser made of it; only there a script may run."""
    copy = report.with_name("probed.html")
    text = report.read_text("utf-8").replace("style-src", "script-src 'unsafe-inline'; style-src", 1)
    copy.write_text(text.replace("</body>", PROBE), "utf-8")
    return copy


@needs_browser
@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_the_chart_is_drawn(report, browse, tmp_path, scheme):
    """Where the data says a line is, the screenshot has its colour; the axes can be switched, markup is text, nothing is amiss."""
    picture = tmp_path / "page.png"
    flags = [f"--window-size={WIDTH},{HEIGHT}", f"--blink-settings=preferredColorScheme={int(scheme == 'light')}"]
    dom, log = browse(with_probe(report), *flags, "--dump-dom", f"--screenshot={picture}")
    seen = json.loads(unescape(re.search(r'.*<output id="seen"[^>]*>(.*?)</output>', dom, re.DOTALL)[1]))
    assert (seen["before"], seen["after"]) == (["none", "block"], ["block", "none"])
    assert seen["page"] <= WIDTH
    assert (seen["images"], seen["scripts"]) == (0, 1)  # the test's own
    assert seen["cells"][1:] == ["never", "-"]
    assert "CONSOLE" not in log
    left, top, width, height = seen["box"]
    drawn = re.search(r'<svg id="chart-log" viewBox="0 0 ([0-9.]+) ([0-9.]+)".*?</svg>', dom, re.DOTALL)
    paths = re.findall(r'<path class="measured" d="([^"]*)"', drawn[0])
    assert len(paths) == 3
    shot = Image.open(picture).convert("RGB")
    for path, colour in zip(paths, COLOURS[scheme], strict=False):
        corners = [(float(x), float(y)) for x, y in re.findall(r"[ML](-?[0-9.]+),(-?[0-9.]+)", path)]
        assert len(corners) == 5
        for x, y in corners[1:]:  # at the first size the lines lie on each other
            column, row = round(left + x * width / float(drawn[1])), round(top + y * height / float(drawn[2]))
            near = [shot.getpixel((column + dx, row + dy)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
            assert any(is_near(seen_colour, colour, slack=40) for seen_colour in near), (x, y, near)


@needs_browser
@pytest.mark.slow
def test_on_a_telephone(report, browse):
    """At 360 pixels the page is no wider than that: tables and chart scroll in their own boxes."""
    outer = report.with_name("framed.html")
    outer.write_text(
        f'<!doctype html><iframe id="frame" width="360" height="800" src="{with_probe(report).name}"></iframe>'
        '<output id="seen"></output><script>onload = () => { document.getElementById("seen").textContent = '
        'document.getElementById("frame").contentDocument.documentElement.scrollWidth }</script>',
        "utf-8",
    )
    dom, _log = browse(outer, "--dump-dom", "--allow-file-access-from-files")
    assert int(re.search(r'<output id="seen">(\d+)</output>', dom)[1]) <= 360


@needs_browser
@pytest.mark.slow
def test_no_request_leaves_the_page(report, browse, network):
    """A proxy sees nothing of the page, but does see a page that asks."""
    port, lines = network
    flags = [f"--proxy-server=127.0.0.1:{port}", "--proxy-bypass-list=<-loopback>", "--dump-dom"]
    asking = report.with_name("asking.html")
    asking.write_text("<!doctype html><img src=http://127.0.0.1:49152/asked>")
    browse(asking, *flags)
    assert asked(lines, ["127.0.0.1:49152/asked"])
    lines.clear()
    browse(report, *flags)
    assert [line for line in lines if not asked([line], BROWSER["BROWSERS_OWN"])] == []


def test_the_file_names_nothing_outside(report):
    """No address is loaded from anywhere and no script is there; the policy forbids both."""
    text = report.read_text("utf-8")
    tags = re.findall(r"<[a-zA-Z][^<>]*>", text)
    loads = [tag for tag in tags if re.search(r"\b(src|srcset|href|action|data|poster|background)\s*=", tag)]
    assert loads == ['<link rel="icon" href="data:,">']
    assert "<script" not in text
    assert "default-src 'none'" in text
    assert "script-src" not in text
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    assert not re.search(r"@import|url\(|expression", style)


def test_everything_of_the_users_is_escaped(report):
    """Names, errors and outputs with markup come out as text, wherever they stand."""
    text = report.read_text("utf-8")
    assert "<img" not in text
    assert text.count("&lt;img") >= 5


def test_what_stands_in_it():
    """What was found in the title, the outcome, tiles, the table of the terminal, all points, what each number means."""
    text = page_of(target="10M", budget="256 MiB")
    assert "<h1>batched takes at least 51x less than all at n=160,000</h1>" in text
    assert "<b>Holds:</b> batched is inside 256 MiB at n=10,000,000" in text
    assert "<b>at least 51x less</b>" in text
    assert "<b>n=639,631</b><span>all spends 256 MiB</span>" in text
    assert "<td>grows (linear)</td>" in text
    assert text.count("<td>10,000</td>") == 2
    for word in ("above start", "per item", "times less", "at target", "spent at n"):
        assert f"<dt>{word}</dt>" in text
    assert "dotted lines go on to n=10,000,000" in text
    short = page_of()
    assert "<dt>at target</dt>" not in short
    assert "dotted lines" not in short


@pytest.mark.parametrize(
    ("formulas", "options", "state"),
    [
        ({"a": lambda n: 400 * n, "b": lambda n: MIB}, {}, "good"),
        ({"a": lambda n: MIB, "b": lambda n: 400 * n}, {}, "bad"),
        ({"a": lambda n: MIB, "b": lambda n: MIB}, {"sizes": [10, 20, 40, 80, 160]}, "failed"),
        ({"a": fails_from(1, ERROR), "b": lambda n: MIB}, {"target": "10M"}, "failed"),
        ({"a": fails_from(1, ERROR), "b": fails_from(1, ERROR)}, {"target": "10M", "budget": "1 GiB"}, "failed"),
    ],
)
def test_the_verdict_has_its_colour(formulas, options, state):
    """Green for held, red for not, amber for undecided and failed; a page without one point says so."""
    text = page_of(formulas, **options)
    assert f'class="verdict {state}"' in text
    assert ("nothing to draw" in text) == ("<svg" not in text)


def test_many_scenarios():
    """Twenty have one page; the seventh has the first one's colour and a broken line."""
    text = page_of({f"scenario {number}": (lambda n, k=number: 40 * k * n) for number in range(20)})
    assert text.count('class="measured wrap"') == 2 * 14
    assert "<h1>19 scenarios beside scenario 0</h1>" in text
    assert len(text) < 200_000
