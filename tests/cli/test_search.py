"""cli.search: `flatwater search`, as a user types it."""

from __future__ import annotations

import json
import os

import click
import pytest

import flatwater as fw
from flatwater.cli import main, search
from flatwater.ingest.searching import Result

FIELDS = {"source", "page", "start", "stop", "text", "score", "snippet", "highlights", "metadata", "also"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a corpus of three documents."""
    made = tmp_path_factory.mktemp("search")
    for name, text in {
        "budget.md": "A budget is a fixed number of bytes.",
        "flow.md": "A flow moves items through a budget.",
        "hostile.txt": "An evil\x1b]0;title\x1b\\ budget \x1b[2J clears your screen.",
    }.items():
        (made / name).write_text(text)
    with fw.Corpus(made / "c") as corpus:
        corpus.ingest(made / "budget.md", metadata={"language": "en", "year": 2024})
        corpus.ingest([made / "flow.md", made / "hostile.txt"], metadata={"language": "de", "year": "2024"})
    return made


@pytest.fixture
def typed(capsys, folder, monkeypatch):
    """How a search ends: exit code, stdout, stderr."""
    monkeypatch.chdir(folder)

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            main.main(["search", *map(str, words)])
        return ended.value.code, *capsys.readouterr()

    return run


def names(out):
    return {os.path.basename(each["source"]) for each in json.loads(out)["results"]}


def test_help(typed):
    """Every option is explained in a sentence, with examples and exit codes."""
    code, out, _err = typed("--help")
    assert code == 0
    assert "flatwater search docs.corpus" in out.split("Examples:")[1]
    for option in ("--limit", "--where", "--by", "--embedder", "--web", "--port", "--budget", "--json"):
        assert option in out
    assert "Exit code 0" in out


def test_what_is_found(typed):
    """Best first: its document, where it stands, its score and some text."""
    code, out, err = typed("c", "fixed number")
    lines = out.splitlines()
    assert (code, err) == (main.HOLDS, "")
    assert lines[0].startswith("1. ")
    assert "budget.md  [0-36]  0." in lines[0]
    assert lines[1] == "   A budget is a fixed number of bytes."


def test_a_document_does_not_command_the_terminal(typed):
    """What a terminal would obey, in a text or in a name, is shown as a character that stands for it."""
    assert "\x1b" not in typed("c", "evil", "--by", "words")[1]
    result = Result("a\x1b[2J.md", 7, 0, 9, "", 0.5, "a\x1b[2Jb\rc \udc80 word", ((11, 15),))
    head, shown = search._lines([result])
    assert "a\N{REPLACEMENT CHARACTER}[2J.md, page 7" in click.unstyle(head)
    assert (
        click.unstyle(shown)
        == "   a\N{REPLACEMENT CHARACTER}[2Jb\N{REPLACEMENT CHARACTER}c \N{REPLACEMENT CHARACTER} word"
    )
    assert click.style("word", fg="yellow", bold=True) in shown


def test_json(typed, tmp_path):
    """Into a file beside the text, or on stdout without it; the fields are those that are promised."""
    code, out, err = typed("c", "budget", "--json", tmp_path / "found.json")
    told = json.loads((tmp_path / "found.json").read_text("utf-8"))
    assert (code, err, told["query"]) == (main.HOLDS, "", "budget")
    assert "1. " in out
    assert len(told["results"]) == 3
    for each in told["results"]:
        assert set(each) == FIELDS
        assert isinstance(each["score"], float)
        assert (each["page"], each["start"]) == (0, 0)
    _code, out, _err = typed("c", "budget", "--json", "-")
    assert json.loads(out) == told


def test_nothing_is_found(typed):
    """Which is an answer: exit code 0, and an empty list."""
    assert typed("c", "zebra", "--by", "words") == (main.HOLDS, "nothing found\n", "")
    code, out, _err = typed("c", "zebra", "--by", "words", "--json", "-")
    assert (code, json.loads(out)) == (main.HOLDS, {"query": "zebra", "results": []})


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--limit", "1"], 1),
        (["-k", "2"], 2),
        (["--by", "vectors"], 3),
        (["--where", "language=en"], {"budget.md"}),
        (["--where", "language=en", "--where", "language=de"], 3),
        (["--where", "year=2024"], 3),  # the number and the text
        (["--where", "language=de", "--where", "source=*.md"], {"flow.md"}),
        (["--where", "language=fr"], 0),
        (["--embedder", "hashing"], 3),
        (["--budget", "128MiB"], 3),
    ],
)
def test_options(typed, words, found):
    """So many results, by what, under conditions."""
    code, out, err = typed("c", "budget", "--json", "-", *words)
    assert (code, err) == (main.HOLDS, "")
    assert names(out) == found if isinstance(found, set) else len(names(out)) == found


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["c"], "Give a QUERY, or --web."),
        (["c", "q", "--web"], "Give a QUERY, or --web."),
        (["c", "--web", "--json", "-"], "--json goes with a QUERY"),
        (["c", "--web", "--where", "a=b"], "--where goes with a QUERY"),
        (["c", "q", "--port", "80"], "--port goes with --web"),
        (["c", "--web", "--port", "65536"], "--port"),
        (["c", "q", "-k", "0"], "1<=x<=1000"),
        (["c", "q", "--where", "language"], "write NAME=VALUE"),
        (["c", "q", "--where", "=en"], "write NAME=VALUE"),
        (["c", "q", "--by", "luck"], "'luck'"),
        (["c", " "], "the query is empty"),
        (["none", "q"], "there is no corpus at"),
        (["budget.md", "q"], "budget.md"),
        (["c", "q", "--embedder", "hashing:64"], "made with the embedder 'hashing:384@1'"),
        (["c", "q", "--embedder", "nothing"], "there is no embedder 'nothing'"),
        (["c", "q", "--json", "none/found.json"], "none"),
        (["c", "q", "--budget", "lots"], "'lots' is not a size"),
    ],
)
def test_wrong_use(typed, words, says):
    """Exit code 2, and a sentence that names what is wrong; nothing on stdout."""
    code, out, err = typed(*words)
    assert (code, out) == (main.WRONG_USE, "")
    assert says in err


def test_a_budget_that_is_too_small(typed):
    """Exit code 1, with the figures."""
    code, out, err = typed("c", "q", "--budget", "4MiB")
    assert (code, out) == (main.DOES_NOT_HOLD, "")
    assert "refused" in err
    assert "'search'" in err


def test_a_damaged_corpus(typed, folder, tmp_path):
    """Exit code 4, said by its name."""
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for file in (folder / "c").iterdir():
        if file.is_file():
            (damaged / file.name).write_bytes(file.read_bytes())
    (damaged / "manifest.sqlite").write_bytes(b"nonsense" * 1000)
    code, out, err = typed(damaged, "budget")
    assert (code, out) == (main.FAILED, "")
    assert "damaged" in err


def test_web_is_told_its_address(typed, monkeypatch):
    """The page's address stands on stdout, with how to end it; the port is the one that was asked for."""
    from flatwater.ingest import web

    asked = []

    def serve(corpus, *, port, told):
        asked.append((corpus.path, port))
        told("http://127.0.0.1:81/")

    monkeypatch.setattr(web, "serve", serve)
    code, out, err = typed("c", "--web", "--port", "81")
    assert (code, out, err) == (main.HOLDS, "http://127.0.0.1:81/  (Ctrl-C ends it)\n", "")
    assert asked == [(os.path.abspath("c"), 81)]
