"""ingest.web: the page to try a corpus with, asked over HTTP and looked at in Chromium."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse

import pytest
from browser import CHROMIUM, Browser

import flatwater as fw
from flatwater import errors, limits
from flatwater.ingest import web

HOSTILE = "</script></style><script>alert(1)</script><img src=x onerror=alert(2)>"
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="NO BROWSER: the page is not looked at (install chromium)")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A few documents, some of them hostile in text, name and metadata."""
    folder = tmp_path_factory.mktemp("web")
    (folder / "docs").mkdir()
    texts = {
        "budget.md": "# Budgets\n\nA budget is a fixed number of bytes that parts share.",
        "flow.md": "# Flows\n\nA flow moves items through a budget, \N{ROCKET}\N{ROCKET} in fixed memory.",
        "copy.txt": "# Flows\n\nA flow moves items through a budget, \N{ROCKET}\N{ROCKET} in fixed memory.",
        "long.txt": "The longest text begins here. " + "word " * 200,
        "<img src=x onerror=alert(3)>.md": f"Hostile: {HOSTILE}",
    }
    for name, text in texts.items():
        (folder / "docs" / name).write_text(text, "utf-8")
    with fw.Corpus(folder / "corpus", size=50_000) as made:
        assert made.ingest(folder / "docs", metadata={"<b onclick=alert(4)>": HOSTILE, "year": 2024}).is_fine
        yield made


@pytest.fixture
def serving(corpus):
    """A server of it, in a thread."""
    with fw.Budget("256 MiB"), web.Server(corpus, 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def ask(serving):
    """A function that asks: status, headers, body."""

    def asked(path, method="GET", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", serving.port, timeout=20)
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, answer.headers, body

    return asked


def said(port, text):
    """What a server answers to any bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(text)
        parts = []
        try:
            while part := connection.recv(65536):
                parts.append(part)
        except ConnectionResetError:
            pass  # it did not read all of it
        return b"".join(parts)


def found(answer):
    status, _headers, body = answer
    assert status == 200, body
    return json.loads(body)["results"]


# --- over HTTP --------------------------------------------------------------------------------------------------------


def test_results_are_those_of_a_search(ask, corpus):
    """Source, page, place, text and score as `Corpus.search` tells them."""
    told = found(ask("/search?q=fixed+budget&k=2"))
    own = corpus.search("fixed budget", 2)
    assert len(told) == 2
    for name in ("source", "page", "start", "stop", "text", "score", "snippet"):
        assert [each[name] for each in told] == [getattr(each, name) for each in own]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("q=budget&by=words", {"budget.md", "flow.md"}),
        ("q=fixed+number+of+bytes+parts+share&by=vectors&k=1", {"budget.md"}),
        ("q=budget&by=words&source=*.txt", {"copy.txt"}),
        ("q=budget&by=words&source=flow", {"flow.md"}),  # what is no pattern is a part of the path
        ("q=budget&by=words&source=nowhere", set()),
        ("q=zebra&by=words", set()),
        ("q=%22%27)(*:NEAR&by=words", set()),
    ],
)
def test_what_may_be_asked_for(ask, names, asked):
    """By words or vectors, and sources by a pattern or a part of their path."""
    shown = {os.path.basename(each["source"]) for each in found(ask(f"/search?{asked}"))}
    assert (shown == names) or (shown == {"budget.md", "copy.txt"} and names == {"budget.md", "flow.md"})


def test_figures(ask, corpus):
    """Documents, chunks, embedder, and where it is."""
    status, headers, body = ask("/stats")
    told = json.loads(body)
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert (told["path"], told["documents"], told["chunks"]) == (corpus.path, 5, 4)
    assert told["embedder"].startswith("hashing")


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("", "query is empty"),
        ("q=+", "query is empty"),
        ("q=a&by=luck", "by='luck'"),
        ("q=a&k=0", "From 1 to 50"),
        ("q=a&k=51", "From 1 to 50"),
        ("q=a&k=-1", "From 1 to 50"),
        ("q=a&k=" + "9" * 5000, "From 1 to 50"),
        ("q=" + "a" * 1001, "1,001 characters"),
        ("q=a&source=" + "a" * 1001, "1,001 characters"),
        ("q=a" + "&x=1" * 16, "more than 16 fields"),
    ],
)
def test_what_makes_no_sense(ask, asked, says):
    """Is told in words, as wrong use."""
    status, _headers, body = ask(f"/search?{asked}")
    assert status == 400
    assert says in json.loads(body)["error"]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:{port}", "[::1]:{port}", ""]
)  # fmt: skip
@pytest.mark.parametrize("path", ["/", "/search?q=budget", "/stats"])
def test_names_that_were_made_to_lead_here(ask, serving, host, path):
    """A page of another name reads nothing, although its name leads to this machine."""
    status, _headers, body = ask(path, Host=host.format(port=serving.port))
    assert status == 421
    assert b"budget" not in body


def test_no_host_and_two_hosts(serving):
    """Are refused, too."""
    own = f"Host: 127.0.0.1:{serving.port}\r\n".encode()
    assert b" 421 " in said(serving.port, b"GET /stats HTTP/1.0\r\n\r\n")
    assert b" 421 " in said(serving.port, b"GET /stats HTTP/1.0\r\n" + own + own + b"\r\n")
    assert b" 421 " in said(serving.port, b"GET /stats HTTP/1.0\r\nHost: evil\r\n" + own + b"\r\n")
    assert b" 200 " in said(serving.port, b"GET /stats HTTP/1.0\r\n" + own + b"\r\n")
    assert b" 200 " in said(
        serving.port, b"GET /stats HTTP/1.0\r\n" + own.replace(b"127.0.0.1", b"localhost") + b"\r\n"
    )


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_other_sites_may_not_search(ask, site):
    """They could not read it, but it would cost; a link to the page is fine."""
    assert ask("/search?q=budget", Sec_Fetch_Site=site)[0] == 403
    assert ask("/stats", Sec_Fetch_Site=site)[0] == 403
    assert ask("/?q=budget", Sec_Fetch_Site=site)[0] == 200
    assert ask("/stats", Sec_Fetch_Site="same-origin")[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "CONNECT"])
def test_nothing_but_get(ask, method):
    """Other methods are refused, and it is said which one there is."""
    status, headers, _body = ask("/search?q=budget", method)
    assert (status, headers["Allow"]) == (405, "GET")


@pytest.mark.parametrize("path", ["/nothing", "/../web.py", "/search/", "/page", "/search;x", "*"])
def test_nothing_else_is_served(ask, path):
    """Neither files nor other paths."""
    assert ask(path)[0] == 404


def test_every_answer_is_closed(ask):
    """Errors, too: nothing is stored or guessed, and a page may do nothing but what ours does."""
    for path in ("/", "/search?q=a", "/search", "/stats", "/nothing", f"/{HOSTILE.replace(' ', '')}"):
        _status, headers, _body = ask(path)
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'sha256-")
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Access-Control-Allow-Origin" not in headers
        assert "Python" not in headers["Server"]
        assert ("html" in headers["Content-Type"]) == (path == "/")


def test_the_page_needs_nothing(ask):
    """No address but its own stands in it, and no string becomes HTML."""
    text = ask("/")[2].decode()
    assert re.findall(r"https?://\S+", text) == []
    assert re.findall(r"\b(?:src|srcdoc|innerHTML|outerHTML|insertAdjacentHTML|write|eval|Function)\s*[=(]", text) == []
    assert len(re.findall("<script", text)) == len(re.findall("<style", text)) == 1


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\n" + b"X: aaaaaaaaa\r\n" * 99 + b"Y: " + b"a" * 65_000 + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 101 + b"\r\n", b"431"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400"),
        (b"GET / HTTP/9.9\r\n\r\n", b"505"),
        (b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", b"501"),
    ],
)
def test_requests_that_are_too_large_or_none(serving, request_, code, capsys):
    """Are refused by number, and the server goes on and says nothing."""
    answer = said(serving.port, request_)
    assert code in answer[:16] or not answer  # a reset may overtake the answer to what was not read to its end
    assert b" 200 " in said(serving.port, f"GET / HTTP/1.1\r\nHost: localhost:{serving.port}\r\n\r\n".encode())
    assert capsys.readouterr() == ("", "")


def test_a_closed_gate(ask, serving):
    """No searches while the budget takes nothing in, and when to come again; the page and figures are there."""
    serving.budget.gate.pause("memory is critical")
    status, headers, body = ask("/search?q=budget")
    assert (status, headers["Retry-After"]) == (503, str(limits.INGEST_WEB_RETRY_S))
    assert "memory is critical" in json.loads(body)["error"]
    assert ask("/")[0] == ask("/stats")[0] == 200
    serving.budget.gate.resume()
    assert ask("/search?q=budget")[0] == 200


def test_a_full_budget(ask, serving):
    """Is told, with who holds it; threads of the server see the budget that it was made in."""
    with serving.budget.reserve(serving.budget.free, "the others"):
        status, headers, body = ask("/search?q=budget")
    assert (status, "Retry-After" in headers) == (503, True)
    assert "the others" in json.loads(body)["error"]


def test_so_many_searches_at_a_time(ask, serving, monkeypatch):
    """The others wait for their turn, and are told to come again when it does not come."""
    monkeypatch.setattr(limits, "INGEST_WEB_WAIT_S", 0.02)
    for _ in range(limits.INGEST_WEB_SEARCHES):
        assert serving.searches.acquire(blocking=False)
    status, headers, body = ask("/search?q=budget")
    assert (status, "Retry-After" in headers) == (503, True)
    assert "under way" in json.loads(body)["error"]
    for _ in range(limits.INGEST_WEB_SEARCHES):
        serving.searches.release()
    assert ask("/search?q=budget")[0] == 200


def test_connections_that_say_nothing(ask, serving, monkeypatch):
    """Have a bounded number of threads for a bounded time; then it is the others' turn."""
    monkeypatch.setattr(web._Asked, "timeout", 0.3)
    idle = [socket.create_connection(("127.0.0.1", serving.port)) for _ in range(limits.INGEST_WEB_THREADS + 3)]
    threads = threading.active_count()
    assert ask("/stats")[0] == 200
    assert threads <= limits.INGEST_WEB_THREADS + 8
    for connection in idle:
        connection.close()


def test_what_fails_without_a_reason_is_told(ask, corpus, monkeypatch, capsys):
    """The browser hears that it failed, and whoever started it what it was."""

    def failing(*_args, **_options):
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(type(corpus), "search", failing)
    status, _headers, body = ask("/search?q=budget")
    assert (status, json.loads(body)["error"]) == (500, "the search failed: ZeroDivisionError.")
    assert "secret" in capsys.readouterr().err


def test_long_texts_are_cut(ask, monkeypatch):
    """An answer has a bound, and says that there is more; so with metadata."""
    monkeypatch.setattr(limits, "INGEST_WEB_TEXT_CHARS", 12)
    monkeypatch.setattr(limits, "INGEST_WEB_METADATA_CHARS", 9)
    (result,) = found(ask("/search?q=longest&by=words"))
    assert (result["text"], result["is_cut"]) == ("The longest ", True)
    assert result["metadata"] == {"<b oncli\u2026": HOSTILE[:8] + "\u2026", "year": "2024"}


def test_its_bound_is_a_sum():
    """Threads and answers: a few MiB, unless every text is as long as can be."""
    assert web.bytes_max() == (
        limits.INGEST_WEB_THREADS * limits.INGEST_WEB_THREAD_BYTES
        + limits.INGEST_WEB_SEARCHES * web.answer_bytes_max()
    )  # fmt: skip


def test_a_port_that_is_taken(corpus, serving):
    """Is said by its number."""
    with pytest.raises(errors.BrokenError, match=f"port {serving.port} of 127.0.0.1"):
        web.serve(corpus, port=serving.port, told=print)


def test_no_corpus(tmp_path):
    """Is said before anything listens."""
    with pytest.raises(errors.UsageError, match="there is no corpus"):
        web.serve(fw.Corpus(tmp_path / "none"), told=pytest.fail)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it(corpus, number, code):
    """In under a second, with a connection open and quietly; it listens on 127.0.0.1 alone."""
    command = [sys.executable, "-m", "flatwater", "search", corpus.path, "--web"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        url = process.stdout.readline().split()[0]
        port = urllib.parse.urlsplit(url).port
        assert url == f"http://127.0.0.1:{port}/"
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.2", port), timeout=5).close()
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            assert b" 200 " in said(port, f"GET /search?q=budget HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            begun = time.monotonic()
            process.send_signal(number)
            out, err = process.communicate(timeout=20)
            took_s = time.monotonic() - begun
    assert (process.returncode, out, err.strip()) == (code, "", "")
    assert took_s < 5  # under a second, where nobody else is at work


# --- in a browser -----------------------------------------------------------------------------------------------------

SHOWN = "[...document.querySelectorAll('#results > li h2')].map(each => each.textContent)"
IDLE = "!document.body.classList.contains('busy') && document.querySelectorAll('footer span').length > 3"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """A browser for all tests."""
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


@pytest.fixture
def page(chromium, serving):
    """The page, open; nothing was said in its console but failed requests, no dialog opened, and nobody else was asked."""
    chromium.ask("Page.navigate", url="about:blank")
    chromium.look()
    chromium.said.clear()
    chromium.open(serving.url)
    chromium.wait(IDLE)
    yield chromium
    asked = chromium.asked()
    assert asked
    assert [url for url in asked if not url.startswith((serving.url, "data:"))] == []
    assert [each for each in chromium.said if each["params"].get("entry", {}).get("source") != "network"] == []


def searched(page, query):
    """Type it, as a user would."""
    page.see("document.activeElement.blur()")
    page.key("/")
    page.type(query)
    page.key("Enter")
    page.wait(f"new URLSearchParams(location.search).get('q') === {json.dumps(query)} && {IDLE}")


@needs_browser
def test_type_and_see(page):
    """/ leads to the query, Enter searches; results have places, scores, and what was asked for in marks."""
    searched(page, "fixed budget")
    assert set(page.see(SHOWN)) >= {"budget.md"}
    assert page.see("document.title") == "fixed budget · flatwater search"
    assert re.search(r"\d results in \d+ ms", page.see("document.getElementById('status').textContent"))
    first = page.see("document.querySelector('li').innerText")
    assert "position 0\N{EN DASH}" in first
    assert re.search(r"score 0\.\d{4}", first)
    assert "year 2024" in first
    assert "5 documents" in page.see("document.querySelector('footer').innerText")
    marks = page.see("[...document.querySelectorAll('mark')].map(each => each.textContent.toLowerCase())")
    assert set(marks) == {"fixed", "budget"}  # also behind letters that take two places in UTF-16


@needs_browser
def test_a_slash_in_a_query(page):
    """Is a slash, once the query has the focus."""
    page.see("document.activeElement.blur()")
    page.key("/")
    assert page.see("document.activeElement.id") == "q"
    page.key("/")
    assert page.see("document.activeElement.value") == "/"


@needs_browser
def test_the_whole_text_and_its_other_places(page):
    """Open on a click, or with the keyboard."""
    searched(page, "flow")
    page.click("li details summary")
    assert page.see("document.querySelector('li pre').checkVisibility()")
    assert "in fixed memory." in page.see("document.querySelector('li pre').innerText")
    page.see("document.querySelectorAll('li summary')[1].focus()")
    page.key("Enter")
    assert page.see("document.querySelector('li .also').checkVisibility()")
    both = page.see("document.querySelector('li').innerText")
    assert "The same text in 1 other place" in both
    assert {"flow.md", "copy.txt"} <= set(re.findall(r"[\w.]+\.(?:md|txt)", both))


@needs_browser
def test_the_address_repeats_the_search(page, serving):
    """A reload searches again; back leads to the search before it."""
    searched(page, "flow")
    page.see("document.getElementById('source').value = '*.txt'")
    page.click("#by label:nth-child(2)")
    page.wait(f"location.search === '?q=flow&by=words&source=*.txt' && {IDLE}")
    assert page.see(SHOWN) == ["copy.txt"]
    page.ask("Page.reload")
    page.wait(f"performance.getEntriesByType('navigation')[0].type === 'reload' && {IDLE}")
    assert page.see(SHOWN) == ["copy.txt"]
    assert page.see("[q.value, source.value, document.querySelector('[name=by]:checked').value]") == ["flow", "*.txt", "words"]  # fmt: skip
    page.see("history.back()")
    page.wait(f"location.search === '?q=flow' && document.getElementById('source').value === '' && {IDLE}")
    assert len(page.see(SHOWN)) > 1


@needs_browser
def test_nothing_found_and_nothing_asked(page):
    """Say so; an empty query shows what can be written."""
    page.see("document.querySelector('[value=words]').click()")
    searched(page, "zebra")
    assert page.see(SHOWN) == []
    assert "Nothing found" in page.see("document.getElementById('status').innerText")
    page.see("document.getElementById('q').value = ''")
    page.click("form button")
    page.wait("/phrase/.test(document.getElementById('status').innerText)")
    assert page.see("document.title") == "flatwater search"


@needs_browser
def test_a_search_that_fails_is_told(page, serving):
    """In the page, where results were; and the next one that works is shown."""
    serving.budget.gate.pause("memory is <b>critical</b>")
    searched(page, "budget")
    assert "no searches now: memory is <b>critical</b>. Try again" in page.see(
        "document.getElementById('error').innerText"
    )
    serving.budget.gate.resume()
    page.key("Enter")
    page.wait(f"document.querySelector('li') && document.getElementById('error').hidden && {IDLE}")


@needs_browser
def test_a_server_that_has_gone(page):
    """Is told, too."""
    line = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    page.ask("Network.emulateNetworkConditions", offline=True, **line)
    searched(page, "budget")
    assert "does not answer" in page.see("document.getElementById('error').innerText")
    page.ask("Network.emulateNetworkConditions", offline=False, **line)


@needs_browser
def test_hostile_texts_are_text(page, serving):
    """Script in a document, its name, metadata, the query, the pattern and the address is shown and does nothing."""
    searched(page, f"Hostile {HOSTILE}")
    assert "<img src=x onerror=alert(3)>.md" in page.see(SHOWN)
    whole = page.see("document.getElementById('results').textContent")
    assert f"Hostile: {HOSTILE}" in whole
    assert "<b onclick=alert(4)>" in whole
    for asked in ({"q": HOSTILE, "by": HOSTILE}, {"q": HOSTILE, "source": HOSTILE}, {"q": "budget", "k": HOSTILE}):
        page.open(serving.url + "?" + urllib.parse.urlencode(asked, safe="()") + f"#{urllib.parse.quote(HOSTILE)}")
        page.wait(IDLE)
    assert page.see("[document.scripts.length, document.images.length, document.querySelectorAll('b[onclick]').length]") == [1, 0, 0]  # fmt: skip


@needs_browser
def test_no_other_script_would_run(page):
    """If one came in all the same: neither inline, nor a handler, nor from elsewhere."""
    page.see(
        "(() => { const script = document.createElement('script'); script.textContent = 'window.ran = 1';"
        "document.body.append(script); const image = document.createElement('div');"
        "image.setAttribute('onclick', 'window.ran = 2'); document.body.append(image); image.click() })()"
    )
    assert page.see("window.ran === undefined")
    blocked = [each for each in page.said if "Content Security Policy" in str(each)]
    assert blocked
    page.said[:] = [each for each in page.said if each not in blocked]


@needs_browser
@pytest.mark.parametrize("width", [320, 390, 1000])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits(page, width, scheme):
    """Nothing leaves the window, however narrow; words stand out from the paper in either scheme."""
    searched(page, "Hostile budget")
    for number in range(page.see("document.querySelectorAll('summary').length")):
        page.see(f"document.querySelectorAll('summary')[{number}].click()")
    assert page.look(width=width, scheme=scheme) <= width
    for selector in ("h2", ".snippet", ".where", "mark", "summary", "button", "footer span"):
        assert page.see(CONTRAST % selector) >= 4.5, selector


CONTRAST = """(() => {
  const light = color => { const [r, g, b] = color.map(each => each / 255).map(each => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b };
  const numbers = text => text.match(/[\\d.]+/g).map(Number);
  let below = document.querySelector("%s"), ink = light(numbers(getComputedStyle(below).color).slice(0, 3));
  while (numbers(getComputedStyle(below).backgroundColor)[3] === 0) below = below.parentElement;
  const paper = light(numbers(getComputedStyle(below).backgroundColor).slice(0, 3));
  return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
})()"""
