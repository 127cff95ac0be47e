"""cli.ingest: `flatwater ingest`, as a user types it."""

from __future__ import annotations

import itertools
import json
import os
import signal
import sqlite3
import subprocess
import sys

import pytest

import flatwater as fw
from flatwater.cli import main


@pytest.fixture
def typed(capsys, tmp_path, monkeypatch):
    """How an ingestion ends: exit code, stdout, stderr; in a folder with three documents."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs" / "deep").mkdir(parents=True)
    for name in ("one.md", "two.txt", "deep/three.md"):
        (tmp_path / "docs" / name).write_text(f"The document {name} speaks of budgets.")

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            main.main(["ingest", *map(str, words)])
        return ended.value.code, *capsys.readouterr()

    return run


def found(query="budgets", path="c", **options):
    """Names of what a search finds."""
    with fw.Corpus(path) as corpus:
        return {os.path.basename(each.source) for each in corpus.search(query, **options)}


def test_help(typed):
    """Every option is explained, with examples and exit codes."""
    code, out, _err = typed("--help")
    assert code == 0
    assert "flatwater ingest docs/ --into docs.corpus" in out.split("Examples:")[1]
    assert "Exit code 0" in out
    for option in (
        "--into", "--embedder", "--size", "--overlap", "--table", "--id", "--text", "--metadata", "--encoding", "--password",
        "--no-full-text", "--retry", "--dry-run", "--budget", "--json", "--quiet",
    ):  # fmt: skip
        assert f"{option} " in out


def test_it_keeps_in_step(typed, tmp_path):
    """The first run reads all, the second nothing; then what is new, changed or gone."""
    code, out, err = typed("docs", "--into", "c")
    assert (code, err) == (main.HOLDS, "")
    assert out.startswith("3 documents: 3 new\n3 chunks written, 3 texts embedded")
    assert typed("docs", "--into", "c")[1].startswith("3 documents: 3 unchanged\n0 chunks written")
    (tmp_path / "docs/one.md").write_text("Another text about budgets.")
    (tmp_path / "docs/two.txt").unlink()
    (tmp_path / "docs/four.md").write_text("A fourth one about budgets.")
    _code, out, _err = typed("docs", "--into", "c")
    assert out.startswith("3 documents: 1 new, 1 changed, 1 unchanged, 1 removed\n")
    assert found() == {"one.md", "three.md", "four.md"}


def test_several_sources_and_patterns(typed):
    """A pattern, a file and a directory in one run."""
    code, _out, _err = typed("docs/*.txt", "docs/one.md", "docs/deep", "--into", "c")
    assert (code, found()) == (main.HOLDS, {"one.md", "two.txt", "three.md"})


def test_dry_run(typed, tmp_path):
    """Says what it would do and writes nothing; neither makes it a corpus, nor changes one."""
    code, out, err = typed("docs", "--into", "c", "--dry-run")
    assert (code, out, err) == (main.HOLDS, "3 documents: 3 would be new\n", "")
    assert sorted(os.listdir(tmp_path)) == ["docs"]
    typed("docs", "--into", "c", "-q")
    (tmp_path / "docs/two.txt").unlink()
    before = {path: path.read_bytes() for path in (tmp_path / "c").rglob("*") if path.is_file() and path.suffix == ""}
    _code, out, _err = typed("docs", "--into", "c", "--dry-run")
    assert "1 would be removed" in out
    assert {path: path.read_bytes() for path in before} == before
    assert "two.txt" in found()


def test_json(typed, tmp_path):
    """The report as a dict: into a file, or on stdout while the text goes to stderr."""
    code, out, err = typed("docs", "--into", "c", "--json", "report.json")
    told = json.loads((tmp_path / "report.json").read_text())
    assert (code, err, told["new"], told["problems"], told["is_dry"]) == (main.HOLDS, "", 3, [], False)
    assert "3 documents" in out
    _code, out, err = typed("docs", "--into", "c", "--json", "-")
    assert json.loads(out)["unchanged"] == 3
    assert "3 unchanged" in err


def test_quiet(typed, tmp_path):
    """Prints nothing, but what went wrong."""
    assert typed("docs", "--into", "c", "--quiet") == (main.HOLDS, "", "")
    (tmp_path / "docs/bad.txt").write_bytes(bytes(range(256)) * 10)
    code, out, err = typed("docs", "--into", "c", "-q")
    assert (code, out) == (main.HOLDS, "")
    assert "flatwater: 1 problem:" in err
    assert "bad.txt" in err


def test_a_document_that_cannot_be_read(typed, tmp_path):
    """Is told by name with its reason; the others are ingested, and the exit code is that of a run that is done."""
    (tmp_path / "docs/broken.pdf").write_bytes(b"%PDF-1.7\nnonsense")
    code, out, _err = typed("docs", "--into", "c")
    assert code == main.HOLDS
    assert "broken.pdf" in out
    assert "skipped" in out
    assert found() == {"one.md", "two.txt", "three.md"}


def test_a_name_does_not_command_the_terminal(typed, tmp_path):
    """What a terminal would obey in the name of a document with a problem is written out."""
    (tmp_path / "docs/bad\x1b[2J\n.pdf").write_bytes(b"%PDF-1.7\nnonsense")
    _code, out, _err = typed("docs", "--into", "c")
    assert "bad\\x1b[2J\\n.pdf: " in out
    _code, _out, err = typed("docs", "--into", "c", "--quiet", "--retry")
    assert "bad\\x1b[2J\\n.pdf: " in err


def test_retry(typed, tmp_path):
    """Problems are not read again while nothing changes, unless that is asked for."""
    (tmp_path / "docs/broken.pdf").write_bytes(b"%PDF-1.7\nnonsense")
    kinds = []
    for words in ([], [], ["--retry"]):
        _code, out, _err = typed("docs", "--into", "c", "--json", "-", *words)
        kinds.append([problem["kind"] for problem in json.loads(out)["problems"]])
    assert kinds == [["skipped"], ["known"], ["skipped"]]


def test_table(typed, tmp_path):
    """Rows of a database: which table, which columns are key, text and metadata."""
    with sqlite3.connect(tmp_path / "articles.db") as database:
        database.execute("CREATE TABLE articles (number INTEGER PRIMARY KEY, body TEXT, language TEXT)")
        rows = [(1, "Budgets of families", "en"), (2, "Budgets der Familien", "de")]
        database.executemany("INSERT INTO articles VALUES (?, ?, ?)", rows)
    database.close()
    words = ("articles.db", "--table", "articles", "--id", "number", "--text", "body", "--metadata", "language")
    code, out, err = typed(*words, "--into", "c")
    assert (code, err) == (main.HOLDS, "")
    assert out.startswith("2 documents: 2 new")
    with fw.Corpus("c") as corpus:
        (result,) = corpus.search("budgets", where={"language": "de"})
    assert result.text == "Budgets der Familien"


def test_metadata(typed):
    """A value of all documents of a run, which searches can ask for; given again, another name."""
    typed("docs/one.md", "--into", "c", "--metadata", "language=en", "--metadata", "team=a=b")
    typed("docs/two.txt", "--into", "c", "--metadata", "language=de")
    assert found(where={"language": "en", "team": "a=b"}) == {"one.md"}
    assert found(where={"language": ["en", "de"]}) == {"one.md", "two.txt"}


def test_stages(typed, tmp_path):
    """Size and overlap of chunks, the embedder, the encoding, and no index of words."""
    (tmp_path / "latin.txt").write_bytes(" ".join(f"Caf\N{LATIN SMALL LETTER E WITH ACUTE} {number}." for number in range(100)).encode("cp1252"))  # fmt: skip
    code, _out, err = typed(
        "latin.txt", "--into", "c", "--size", 100, "--overlap", 20, "--embedder", "hashing:64", "--encoding", "cp1252",
        "--no-full-text", "--budget", "256MiB",
    )  # fmt: skip
    assert (code, err) == (main.HOLDS, "")
    with fw.Corpus("c") as corpus:
        stats = corpus.stats()
        results = corpus.search("caf\N{LATIN SMALL LETTER E WITH ACUTE}", 100)
    assert stats["embedder"].startswith("hashing:64")
    assert (stats["width"], stats["full_text"]) == (64, False)
    assert stats["chunks"] == len(results) > 8
    assert max(len(each.text) for each in results) <= 100
    places = sorted((each.start, each.stop) for each in results)
    assert any(later[0] < sooner[1] for sooner, later in itertools.pairwise(places))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--into", "c"], "SRC"),
        (["docs"], "--into"),
        (["docs", "--into", "c", "--size", "10"], "50<=x<=100000"),
        (["docs", "--into", "c", "--overlap", "-1"], "--overlap"),
        (["docs", "--into", "c", "--overlap", "1000"], "overlap"),
        (["docs", "--into", "c", "--embedder", "nothing"], "there is no embedder 'nothing'"),
        (["docs", "--into", "c", "--metadata", "language"], "without --table it is NAME=VALUE"),
        (["a", "b", "--into", "c", "--table", "t"], "--table is of one database"),
        (["a.db", "--into", "c", "--table", "t", "--metadata", "a=b"], "with --table name a column"),
        (["docs", "--into", "docs"], "docs"),
        (["docs", "--into", "docs/one.md"], "one.md"),
        (["docs", "--into", "c", "--encoding", "klingon"], "klingon"),
        (["docs", "--into", "c", "--json", "none/report.json"], "none"),
        (["docs", "--into", "c", "--budget", "lots"], "'lots' is not a size"),
    ],
)
def test_wrong_use(typed, words, says, tmp_path):
    """Exit code 2, a sentence that names what is wrong, and nothing is made."""
    code, out, err = typed(*words)
    assert (code, out) == (main.WRONG_USE, "")
    assert says in err
    assert not (tmp_path / "c").exists()


def test_a_source_that_is_not_there(typed):
    """Exit code 4, by its name."""
    code, _out, err = typed("nowhere.md", "--into", "c")
    assert code == main.FAILED
    assert "nowhere.md" in err


def test_a_budget_that_is_too_small(typed):
    """Exit code 1, with the figures."""
    code, out, err = typed("docs", "--into", "c", "--budget", "4MiB")
    assert (code, out) == (main.DOES_NOT_HOLD, "")
    assert "refused" in err


def test_another_embedder_embeds_anew(typed):
    """All texts, once; what was there is found by the new one."""
    typed("docs", "--into", "c", "-q")
    code, out, _err = typed("docs", "--into", "c", "--embedder", "hashing:64")
    assert (code, "3 embedded anew" in out) == (main.HOLDS, True)
    assert len(found(by="vectors")) == 3


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it(typed, tmp_path, number, code):
    """Quietly, with the signal's exit code; the next run goes on to the same end."""
    program = (
        "import os, signal, sys\n"
        "from flatwater.ingest import stages\n"
        "from flatwater.cli.entry import entry\n"
        "left, own = [2], stages.EmbeddingStage.__call__\n"
        "def call(self, load):\n"
        "    left[0] -= 1\n"
        f"    if left[0] == 0: os.kill(os.getpid(), {int(number)})\n"
        "    return own(self, load)\n"
        "stages.EmbeddingStage.__call__ = call\n"
        "from flatwater import limits\n"
        "limits.INGEST_LOAD_ROWS = 1\n"
        "entry()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "ingest", "docs", "--into", "c"], capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr.strip()) == (code, "", "")
    code, _out, _err = typed("docs", "--into", "c")
    assert code == main.HOLDS
    with fw.Corpus("c") as corpus:
        assert corpus.check() == []
    assert len(found()) == 3
