"""The site: it is built without a warning, loads nothing from elsewhere, and all that it links to is there."""

from __future__ import annotations

import json
import os
import posixpath
import re
import subprocess
import sys
import urllib.parse
from pathlib import Path

import pytest

pytest.importorskip("mkdocs", reason="the extra `docs` is not installed")
from lxml import html

ROOT = Path(__file__).parents[2]
LOADED = "//link/@href|//script/@src|//img/@src|//iframe/@src|//source/@src|//video/@src|//audio/@src|//object/@data"
ELSEWHERE = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
STYLES = re.compile(r"(?:url\(|@import)\s*[\"']?([^\"')\s;]+)")
UNREAD = re.compile(r"(?m)^(?:[-*+] |\d+\. |\||```|#+ |>>> )")  # what Markdown did not take for what it is


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the pages, built as `make docs` builds them, and what was said."""
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", target]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return target


@pytest.fixture(scope="module")
def pages(site):
    """Each page as a tree, by its path on the site."""
    return {
        str(path.relative_to(site)): html.document_fromstring(path.read_bytes())
        for path in sorted(site.rglob("*.html"))
        if path.name != "404.html"  # shown under any address: its links begin at the root of a server
    }


def complaints(site, pages):
    """What pages load from elsewhere, and what they load or link to that is not there."""
    ids = {name: {*page.xpath("//@id"), *page.xpath("//a/@name")} for name, page in pages.items()}
    for name, page in pages.items():
        for target in page.xpath(LOADED):
            if ELSEWHERE.match(target):
                yield f"{name} loads {target}"
            elif (
                not target.startswith("data:") and not (site / posixpath.dirname(name) / target.split("?")[0]).exists()
            ):
                yield f"{name} loads {target}, which is not there"
        for target in page.xpath("//a/@href"):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = urllib.parse.unquote(target).partition("#")
            there = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name
            if not (site / there).is_file() or (anchor and there in ids and anchor not in ids[there]):
                yield f"{name} links to {target}, which is not there"
        for text in page.xpath("//style/text()|//@style"):
            yield from (f"{name} loads {each}" for each in STYLES.findall(text) if ELSEWHERE.match(each))
        if page.xpath("//*[contains(@class, 'mermaid')]"):
            yield f"{name} has a diagram, for which the theme loads a script"


@pytest.mark.slow
def test_a_site_that_holds_together(site, pages):
    """No page loads anything from elsewhere; every link, anchor and file of a page is there; the navigation has all pages."""
    assert len(pages) > 120
    wrong = list(complaints(site, pages))
    for path in site.rglob("*.css"):
        wrong += [
            f"{path.name} loads {each}" for each in STYLES.findall(path.read_text("utf-8")) if ELSEWHERE.match(each)
        ]
    assert wrong == []
    listed = pages["index.html"].xpath("//nav//a[contains(@class, 'md-nav__link')]/@href")
    assert {target.partition("#")[0] for target in listed} >= set(pages) - {"index.html"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<script src='https://cdn.example/a.js'></script>", 1),
        ("<link rel='stylesheet' href='//fonts.example/css'>", 1),
        ("<img src='missing.png'><img src='data:image/png;base64,'>", 1),
        ("<style>@import 'https://fonts.example/css'; a { background: url(b.png) }</style>", 1),
        ("<p style=\"background: url('http://cdn.example/b.png')\">", 1),
        ("<pre class='mermaid'>graph</pre>", 1),
        ("<a href='missing.html'>a</a> <a href='#missing'>b</a> <a href='page.html#there' id='there'>c</a>", 2),
        ("<a href='https://example.org'>elsewhere</a> <a href='mailto:a@example.org'>mail</a>", 0),
    ],
)
def test_what_a_page_must_not_do_is_found(tmp_path, text, found):
    """A script, style, picture or font from elsewhere, and a link that leads nowhere; a link to elsewhere is no complaint."""
    (tmp_path / "page.html").write_text(text)
    pages = {"page.html": html.document_fromstring(f"<body>{text}")}
    assert len(list(complaints(tmp_path, pages))) == found


@pytest.mark.slow
def test_markdown_is_read_as_on_github(pages):
    """No list, table, fence or example stands in a paragraph as plain text."""
    wrong = []
    for name, page in pages.items():
        for block in page.xpath("//article//p|//article//li|//article//dd"):
            text = "".join(
                block.xpath("text()|*[not(self::ul or self::ol or self::pre or self::div or self::code)]//text()")
            )
            if found := UNREAD.search(text.strip()):
                wrong.append(f"{name}: {text.strip()[max(found.start() - 40, 0) : found.start() + 60]!r}")
        wrong += [
            f"{name}: a quotation {each.text_content()[:60]!r}" for each in page.xpath("//blockquote//blockquote")
        ]
    assert wrong == []


@pytest.mark.slow
def test_the_search_knows_all_pages(site, pages):
    """The index of the search is there, with each page's words."""
    index = json.loads((site / "search" / "search_index.json").read_text("utf-8"))
    assert {each["location"].partition("#")[0] for each in index["docs"]} == set(pages)
    assert any("keyset" in each["text"] for each in index["docs"])


@pytest.mark.slow
def test_each_public_name_has_its_description(pages):
    """A class or function of the package's is described on one page, with its signature, and named on that of its floor."""
    import flatwater as fw

    described = {each for page in pages.values() for each in page.xpath("//*[contains(@class, 'doc-heading')]/@id")}
    for name in fw.__all__:
        value = getattr(fw, name)
        if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
            assert f"{value.__module__}.{value.__qualname__}" in described, name
