"""The console in Chromium: log-in, tables, statements, live queries, memory; hostile values, lost connections, any width."""

from __future__ import annotations

import json
import re

import pytest

HOSTILE = "</script><script>ran=1</script><img src=x onerror=ran=2>"
TABLE = "document.querySelector('#result table')"
CELLS = "[...document.querySelectorAll('%s tbody tr')].map(row => [...row.cells].map(cell => cell.textContent))"
ROWS = CELLS % "#result"
LIVE = CELLS % "#panels"
DONE = "document.getElementById('run').textContent === 'Run' && document.querySelector('#result .told')?.textContent.includes('ms')"


@pytest.fixture
def served(db):
    """The database behind its own server."""
    with db.serve(port=0) as server:
        yield server


@pytest.fixture
def page(chromium):
    """An empty page; afterwards nothing was said in its console but of requests that failed, and nobody else was asked."""
    chromium.ask("Page.navigate", url="about:blank")
    chromium.look(width=1400, height=900)
    chromium.said.clear()
    yield chromium
    chromium.ask("Emulation.setEmulatedMedia", features=[])
    asked = chromium.asked()
    said = [each for each in chromium.said if each["params"].get("entry", {}).get("source") != "network"]
    chromium.see("location.protocol === 'http:' && sessionStorage.clear()")
    chromium.ask("Page.navigate", url="about:blank")
    assert asked
    assert {url.split("/")[2].split(":")[0] for url in asked if "//" in url} == {"127.0.0.1"}
    assert said == []
    assert chromium.see("window.ran === undefined")


@pytest.fixture
def console(page, served):
    """Logged in as ada."""
    enter(page, served)
    return page


def enter(page, server, user="ada"):
    page.ask("Page.navigate", url=f"{server.url.rstrip('/')}/#token={server.token(user)}")
    page.wait("!document.getElementById('work').hidden && document.querySelector('#tables details') !== null")


def run(page, text, *, key=False):
    """Write a statement and run it."""
    page.see("document.getElementById('editor').focus(); document.getElementById('editor').select()")
    page.see("document.getElementById('result').replaceChildren()")
    page.type(text)
    if key:
        page.key("Enter", modifiers=2)
    else:
        page.click("#run")
    page.wait(f"({DONE}) || document.querySelector('#result .error') !== null")


def follow(page, text):
    page.see("document.getElementById('editor').focus(); document.getElementById('editor').select()")
    page.type(text)
    page.click("#live")
    page.wait(
        "document.querySelector('.live .mark').textContent === 'Live' && document.getElementById('connection').textContent.includes('live')"
    )


def test_log_in(page, db, stand_in):
    """With a password: a wrong one is told; the token stays with the tab, and goes at the log-out."""
    server = stand_in(db)
    page.open(server.url)
    page.wait("document.activeElement.name === 'user'")
    page.type("ada")
    page.key("Tab")
    page.type("wrong")
    page.key("Enter")
    page.wait("document.getElementById('login-error').textContent.includes('wrong')")
    page.type("secret")
    page.click("#login button")
    page.wait("document.activeElement.id === 'editor'")
    assert page.see("document.getElementById('who').innerText") == "ada user"
    assert "secret" not in page.see("document.documentElement.outerHTML + JSON.stringify(sessionStorage)")
    page.ask("Page.reload")
    page.wait("document.getElementById('who').innerText.startsWith('ada')")
    page.click("#leave")
    page.wait("document.activeElement.name === 'user'")
    assert page.see("[sessionStorage.length, document.getElementById('work').hidden]") == [0, True]


def test_a_token_in_the_address(page, db, stand_in):
    """Holds once, and leaves the address bar at once."""
    server = stand_in(db)
    server.one_times.add("first-start")
    page.ask("Page.navigate", url=f"{server.url}#token=first-start")
    page.wait("document.getElementById('who').innerText === 'admin dba'")
    assert page.see("[location.hash, location.href.includes('token')]") == ["", False]
    assert not [
        each["url"] for each in page.ask("Page.getNavigationHistory")["entries"] if "first-start" in each["url"]
    ]
    page.see("sessionStorage.clear()")
    page.ask("Page.navigate", url="about:blank")
    page.ask("Page.navigate", url=f"{server.url}#token=first-start")
    page.wait("!document.getElementById('login-error').hidden")
    assert page.see("location.hash") == ""


def test_the_one_time_token_of_the_server(page, db, served):
    """Leads into the console, as admin."""
    page.ask("Page.navigate", url=f"{served.url}/#token={served.one_time_token}")
    page.wait("document.getElementById('who').innerText === 'admin dba'")
    run(page, "SELECT part FROM system.memory")
    assert ["store"] in page.see(ROWS)


def test_a_statement(console, db):
    """Shows rows, NULLs, numbers on the right, count and time; an error says what to do."""
    db.sql("INSERT INTO notes VALUES (1, 'a', 7), (2, NULL, -1)", user="ada")
    run(console, "SELECT id, body, n FROM notes ORDER BY id;", key=True)
    assert console.see(ROWS) == [["1", "a", "7"], ["2", "NULL", "-1"]]
    assert "2 rows" in console.see("document.querySelector('#result .told').textContent")
    assert console.see(f"getComputedStyle({TABLE}.querySelector('td')).textAlign") == "right"
    assert console.see(f"getComputedStyle({TABLE}.querySelector('th')).position") == "sticky"
    run(console, "INSERT INTO notes (id) VALUES (3)")
    assert "1 row changed" in console.see("document.querySelector('#result .told').textContent")
    run(console, "SELECT nothing FROM notes")
    assert "nothing" in console.see("document.querySelector('#result .error').textContent")
    run(console, "SELECT id FROM notes WHERE id < 0")
    assert console.see("document.querySelector('#result .told').textContent").startswith("0 rows")
    assert console.see(f"{TABLE}.querySelector('th').textContent") == "id"


def test_integers_are_exact(console, db):
    """Also those that a double does not hold."""
    run(console, "INSERT INTO notes (id) VALUES (9007199254740993), (-9223372036854775808)")
    run(console, "SELECT id FROM notes")
    assert sorted(console.see(ROWS)) == [["-9223372036854775808"], ["9007199254740993"]]


def test_a_large_result(console, db):
    """Is read a page at a time, on demand; the page has a bound."""
    db.load("notes", ({"id": number, "body": "x" * 200} for number in range(30_000)), user="ada")
    run(console, "SELECT id, body FROM notes")
    assert console.see(f"{TABLE}.tBodies[0].rows.length") == 1000
    for pages in range(2, 8):
        console.click("#more")
        console.wait(f"{TABLE}.tBodies[0].lastChild.cells[0].textContent === '{pages * 1000 - 1}'")
    assert console.see(f"{TABLE}.tBodies[0].rows.length") == 5000
    assert console.see(f"{TABLE}.tBodies[0].rows[0].cells[0].textContent") == "2000"
    assert "Rows 2,001 to 7,000" in console.see("document.querySelector('#result .told').textContent")
    run(console, "SELECT id FROM notes WHERE id < 1000")
    assert console.see("document.getElementById('more').hidden")
    assert "1,000 rows" in console.see("document.querySelector('#result .told').textContent")


def test_a_long_value(console, db):
    """Is cut, and whole on a click; Escape leads back."""
    db.sql("INSERT INTO notes VALUES (1, ?, 0)", ["long " * 100 + "end"], user="ada")
    db.sql("INSERT INTO notes VALUES (2, 'a line\nand another', 0)", user="ada")
    run(console, "SELECT body FROM notes")
    assert console.see(f"{TABLE}.querySelector('td').textContent.length") < 100
    assert console.see(ROWS)[1] == ["a line\N{HORIZONTAL ELLIPSIS}"]
    console.click("#result td button")
    assert console.see(
        "document.querySelector('dialog').open && document.querySelector('dialog pre').textContent.endsWith('end')"
    )
    console.key("Escape")
    console.wait("!document.querySelector('dialog').open")


def test_tables(console, db):
    """Show their columns, and put a statement into the editor; new ones come after CREATE TABLE."""
    console.click("#tables button")
    console.wait("document.querySelector('.columns dt') !== null")
    assert console.see("document.querySelector('.columns').innerText.split('\\n')")[:2] == ["id", "BIGINT"]
    assert console.see("document.getElementById('editor').value") == "SELECT * FROM notes"
    db.sql("CREATE NAMESPACE other")
    db.sql('CREATE TABLE other."Odd ""name" (id INT PRIMARY KEY) WITH (TYPE = \'USER\')')
    console.click("#refresh")
    console.wait("document.getElementById('tables').innerText.includes('Odd')")
    console.see("document.getElementById('filter').focus()")
    console.type("odd")
    console.wait("document.querySelectorAll('#tables li').length === 1")
    console.click("#tables li button")
    assert console.see("document.getElementById('editor').value") == 'SELECT * FROM other."Odd ""name"'
    run(console, 'SELECT * FROM other."Odd ""name"')
    assert console.see("document.querySelector('#result .error')") is None


def test_a_live_query(console, db):
    """Rows that come flash, cells that change, rows that go fade; they are counted."""
    db.sql("INSERT INTO notes VALUES (1, 'there', 0)", user="ada")
    follow(console, "SELECT id, body FROM notes WHERE id < 10")
    console.wait(f"{LIVE}.length === 1")
    assert console.see("document.querySelector('.came')") is None
    db.sql("INSERT INTO notes VALUES (2, 'new', 0), (200, 'no', 0)", user="ada")
    console.wait("document.querySelector('.came')?.textContent === '2new'")
    db.sql("UPDATE notes SET body = 'newer' WHERE id = 2", user="ada")
    console.wait("[...document.querySelectorAll('td.changed')].map(each => each.textContent).join() === 'newer'")
    console.see("document.querySelectorAll('.gone').length === 0 && (window.went = 0,"
                "new MutationObserver(all => { if (document.querySelector('.gone')) window.went = 1 }).observe(document.body, {subtree: true, attributes: true}))")  # fmt: skip
    db.sql("DELETE FROM notes WHERE id = 2", user="ada")
    console.wait(f"{LIVE}.length === 1 && window.went")
    assert console.see(LIVE) == [["1", "there"]]
    assert "3 events" in console.see("document.querySelector('.live .told').textContent")


def test_several_live_queries(console, db):
    """Each has a panel; one that is no condition on a table says so; closing one leaves the others."""
    follow(console, "SELECT id FROM notes")
    follow(console, "SELECT id, topic FROM rooms")
    db.sql("INSERT INTO rooms VALUES ('a', 'topic', 1)")
    db.sql("INSERT INTO notes (id) VALUES (5)", user="ada")
    console.wait(f"{LIVE}.length === 2")
    console.see("document.getElementById('editor').focus(); document.getElementById('editor').select()")
    console.type("SELECT count(*) FROM notes")
    console.click("#live")
    console.wait("document.querySelector('.live .error') !== null")
    console.click(".live .quiet")
    console.wait("document.querySelectorAll('.live').length === 2")
    db.sql("INSERT INTO notes (id) VALUES (6)", user="ada")
    console.wait(f"{LIVE}.length === 3")


def test_a_server_that_starts_again(page, db):
    """On the same port: the console says so, and then has every row once."""
    first = db.serve(port=0)
    port = int(first.url.rpartition(":")[2])
    enter(page, first)
    follow(page, "SELECT id FROM notes")
    db.sql("INSERT INTO notes (id) VALUES (1)", user="ada")
    page.wait(f"{LIVE}.length === 1")
    first.close()
    page.wait("document.querySelector('.live .mark').textContent === 'Waiting'")
    assert "Connection lost" in page.see("document.getElementById('connection').textContent")
    db.sql("INSERT INTO notes (id) VALUES (2)", user="ada")
    with db.serve(port=port):
        db.sql("INSERT INTO notes (id) VALUES (3)", user="ada")
        page.wait("document.querySelector('.live .mark').textContent === 'Live'")
        page.wait(f"{LIVE}.length === 3")
        assert sorted(page.see(LIVE)) == [["1"], ["2"], ["3"]]
        assert "3 events" in page.see("document.querySelector('.live .told').textContent")
        page.ask("Page.navigate", url="about:blank")


def test_hostile_values_are_text(console, db):
    """In rows, names of tables and columns, errors, live rows and the address."""
    name = f'"{HOSTILE}"'
    db.sql(f"CREATE TABLE {name} (id INT PRIMARY KEY, \"<b onclick=ran=3>\" TEXT) WITH (TYPE = 'USER')")
    db.sql(f"INSERT INTO {name} VALUES (1, ?), (2, ?)", [HOSTILE, 3 * HOSTILE], user="ada")
    console.click("#refresh")
    console.wait("document.getElementById('tables').innerText.includes('</script>')")
    console.click("#tables button")
    console.wait("document.querySelector('.columns dd') !== null")
    statement = console.see("document.getElementById('editor').value")
    run(console, statement)
    assert console.see(ROWS) == [["1", HOSTILE], ["2", f"{(3 * HOSTILE)[:56]}\N{HORIZONTAL ELLIPSIS}"]]
    console.click("#result td button")
    assert console.see("document.querySelector('dialog pre').textContent") == 3 * HOSTILE
    console.click("dialog button")
    follow(console, statement)
    console.wait(f"{LIVE}.length === 2")
    assert console.see(LIVE)[1] == ["1", HOSTILE]
    run(console, f'SELECT "{HOSTILE}" FROM notes')
    assert "<img" in console.see("document.querySelector('#result .error').textContent")
    assert console.see(
        "[document.images.length, document.scripts.length, document.querySelectorAll('b[onclick]').length]"
    ) == [0, 1, 0]
    assert console.see("window.ran === undefined")


def test_the_editor(console, db):
    """Tab inserts spaces, but leaves behind Escape; Alt and arrows lead through earlier statements."""
    run(console, "SELECT id FROM notes")
    run(console, "SELECT n FROM notes")
    console.see("document.getElementById('editor').focus(); document.getElementById('editor').select()")
    console.type("draft")
    console.key("Tab")
    assert console.see("document.getElementById('editor').value") == "draft  "
    for key, shown in (("ArrowUp", "SELECT n FROM notes"), ("ArrowUp", "SELECT id FROM notes"), ("ArrowUp", "SELECT id FROM notes"), ("ArrowDown", "SELECT n FROM notes"), ("ArrowDown", "draft  ")):  # fmt: skip
        console.key(key, modifiers=1)
        assert console.see("document.getElementById('editor').value") == shown
    console.key("Escape")
    console.key("Tab")
    assert console.see("document.activeElement.id") == "run"


def test_memory(console, served):
    """Is drawn beside the budget, with its figures."""
    console.wait(
        "document.querySelectorAll('#chart polyline').length >= 2 && document.querySelector('#chart .limit') !== null"
    )
    assert console.see("document.getElementById('health').textContent") == "ok"
    assert re.fullmatch(r"[\d.]+ [MG]iB", console.see("document.querySelector('#figures dd').textContent"))


def test_a_user_who_is_out(page, db, stand_in):
    """Is asked to log in again."""
    server = stand_in(db)
    enter(page, server)
    server.tokens.clear()
    page.see("document.getElementById('editor').focus()")
    page.type("SELECT 1")
    page.key("Enter", modifiers=2)
    page.wait("!document.getElementById('entry').hidden && document.getElementById('login-error').textContent")


@pytest.mark.parametrize("width", [480, 1000, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits(console, db, width, scheme):
    """Nothing leaves the window; words stand out from the paper in either scheme."""
    for number in range(30):
        db.sql("INSERT INTO notes VALUES (?, ?, ?)", [number, "a body of some words " * (number % 7), None if number % 5 == 0 else number * 1000], user="ada")  # fmt: skip
    console.click("#tables button")
    run(console, "SELECT id, body, n FROM notes")
    follow(console, "SELECT id, n FROM notes WHERE n > 5")
    console.wait("document.querySelector('#chart polyline') !== null")
    assert console.look(width=width, scheme=scheme) <= width
    for selector in (
        "h1",
        "h2",
        "th",
        "td",
        ".null",
        ".soft",
        "#run",
        "#live",
        "button.quiet",
        ".role",
        ".mark",
        "summary",
        ".columns dd",
    ):
        assert console.see(CONTRAST % selector) >= 4.5, selector
    for selector in ("#editor", "#run", "#tables button", ".grid"):
        console.see(f"document.querySelector({json.dumps(selector)}).focus({{focusVisible: true}})")
        assert console.see("getComputedStyle(document.activeElement).outlineStyle") == "solid", selector


CONTRAST = """(() => {
  const light = color => { const [r, g, b] = color.map(each => each / 255).map(each => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b };
  const numbers = text => text.match(/[\\d.]+/g).map(Number);
  let below = document.querySelector("%s"), ink = light(numbers(getComputedStyle(below).color).slice(0, 3));
  while (numbers(getComputedStyle(below).backgroundColor)[3] === 0) below = below.parentElement;
  const paper = light(numbers(getComputedStyle(below).backgroundColor).slice(0, 3));
  return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
})()"""
