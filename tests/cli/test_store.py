"""cli.store: `flatwater store stats|check|compact|backup`, as a user types them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import flatwater as fw
from flatwater.cli import main
from flatwater.cli import store as module


@pytest.fixture
def path(tmp_path):
    """A store with a few entries."""
    path = tmp_path / "state"
    with fw.Store(path, sync="off") as store:
        store.write([((number,), bytes(100)) for number in range(2000)])
    return path


@pytest.fixture
def typed(capsys):
    """How a command ends: exit code, stdout, stderr."""

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            main.main(["store", *map(str, words)])
        return ended.value.code, *capsys.readouterr()

    return run


def test_the_group_names_its_commands(typed):
    """Help has a line for each, whole, in the order people need them."""
    code, out, _err = typed("--help")
    listed = out.split("Commands:\n")[1].splitlines()
    assert code == 0
    assert [line.split()[0] for line in listed] == ["stats", "check", "compact", "backup", "dump", "load", "explain"]
    assert all(line.endswith(".") and not line.endswith("...") for line in listed)


@pytest.mark.parametrize("name", sorted(module.command.commands))
def test_every_command_has_help(typed, name):
    """It explains itself, with an example."""
    code, out, _err = typed(name, "--help")
    assert code == 0
    assert f"flatwater store {name}" in out.split("Example")[1]


def test_stats(typed, path):
    """A table for people, or JSON on standard output and nothing else there."""
    code, out, err = typed("stats", path)
    assert (code, err) == (main.HOLDS, "")
    assert str(path) in out
    code, out, err = typed("stats", path, "--json", "-")
    figures = json.loads(out)
    assert (code, err, figures["backend"], figures["partitions"]) == (main.HOLDS, "", "lmdb", 1)
    assert 0 <= figures["free_bytes"] < figures["file_bytes"]


def test_check_of_a_sound_store(typed, path):
    """It says so, and exits 0; quiet, it says nothing."""
    assert typed("check", path)[:2] == (main.HOLDS, f"flatwater store check: {path} is sound\n")
    assert typed("check", path, "-q") == (main.HOLDS, "", "")


def test_check_of_a_damaged_store(typed, path):
    """It exits 1 and says what is wrong, also quiet; one that cannot even be opened is damaged, too."""
    file = path / "lmdb" / "data.mdb"
    content = bytearray(file.read_bytes())
    content[10 * 4096 : 11 * 4096] = bytes(4096)
    file.write_bytes(content)
    code, out, _err = typed("check", path, "-q")
    assert code == main.DOES_NOT_HOLD
    assert "is damaged" in out
    assert "page 10" in out
    code, out, err = typed("check", path, "--json", "-")
    assert (code, json.loads(out)["is_sound"]) == (main.DOES_NOT_HOLD, False)
    assert "is damaged" in err
    file.write_bytes(content[: len(content) // 2])
    code, out, _err = typed("check", path)
    assert code == main.DOES_NOT_HOLD
    assert "cut off" in out
    (path / "store.json").write_text("{")
    assert typed("check", path)[0] == main.DOES_NOT_HOLD


def test_compact(typed, path):
    """It gives room back after a mass delete and says how much; with --if-free only if there is enough to give."""
    with fw.Store(path, sync="off") as store:
        store.write([((number,), bytes(2000)) for number in range(2000)])
    code, out, _err = typed("compact", path, "--if-free", "20%")
    assert code == main.HOLDS
    assert "not compacted" in out
    with fw.Store(path, sync="off") as store:
        store.clear()
    before = (path / "lmdb" / "data.mdb").stat().st_size
    code, out, err = typed("compact", path, "--if-free", "0.2", "--json", "-")
    done = json.loads(out)
    assert (code, done["is_done"], done["before_bytes"]) == (main.HOLDS, True, before)
    assert done["after_bytes"] == (path / "lmdb" / "data.mdb").stat().st_size < before / 10
    assert "before" in err
    assert typed("compact", path, "-q") == (main.HOLDS, "", "")


HOLDER = """
import sys
import flatwater as fw
with fw.Store(sys.argv[1]):
    print("open", flush=True)
    sys.stdin.read()
"""


def test_beside_another_process(typed, path, tmp_path):
    """Compacting is refused with the reason, exit 4; reading commands and check go on."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "open\n"
        code, _out, err = typed("compact", path)
        assert code == main.FAILED
        assert "another process" in err
        for words in (["stats", path], ["check", path], ["backup", path, tmp_path / "copy"], ["dump", path]):
            assert typed(*words)[0] == main.HOLDS, words
        other.communicate("")
    assert other.returncode == 0


def test_rocksdb(typed, path, tmp_path):
    """The same commands work on the other backend; beside a process that has it open, each says that only one can."""
    dump, rocks = tmp_path / "dump.jsonl", tmp_path / "rocks"
    assert typed("dump", path, "-o", dump)[0] == main.HOLDS
    for words in (
        ["load", rocks, "-i", dump, "--backend", "rocksdb", "--sync", "off"], ["stats", rocks], ["check", rocks],
        ["compact", rocks], ["compact", rocks, "--if-free", "20%"], ["backup", rocks, tmp_path / "copy"],
    ):  # fmt: skip
        code, _out, err = typed(*words)
        assert (code, err) == (main.HOLDS, "")
    dumped = typed("dump", tmp_path / "copy", "-q")[1]
    assert dumped.splitlines()[1:] == dump.read_text().splitlines()[1:]
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, rocks], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "open\n"
        code, _out, err = typed("check", rocks)
        assert code == main.FAILED
        assert "another process" in err
        other.communicate("")


def test_backup(typed, path, tmp_path):
    """The copy is a store with the same entries; what exists is not overwritten."""
    code, out, _err = typed("backup", path, tmp_path / "backups" / "copy")
    assert code == main.HOLDS
    assert "copy" in out
    with (
        fw.Store(path, read_only=True) as store,
        fw.Store(tmp_path / "backups" / "copy", read_only=True) as copy,
    ):
        assert list(copy.batches()) == list(store.batches())
    code, _out, err = typed("backup", path, tmp_path / "backups" / "copy")
    assert code == main.WRONG_USE
    assert "exists" in err


@pytest.mark.parametrize("name", ["stats", "check", "compact", "backup", "dump"])
@pytest.mark.parametrize("kind", ["missing", "file", "empty", "foreign"])
def test_what_is_no_store(typed, tmp_path, name, kind):
    """It is wrong use, said in a sentence, and nothing is made of it."""
    place = tmp_path / "place"
    if kind == "file":
        place.write_text("x")
    elif kind != "missing":
        place.mkdir()
    if kind == "foreign":
        (place / "notes.txt").write_text("x")
    before = sorted(tmp_path.rglob("*"))
    code, out, err = typed(name, place, *[tmp_path / "copy"] * (name == "backup"))
    assert (code, out) == (main.WRONG_USE, "")
    assert str(place) in err
    assert "Traceback" not in err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "words",
    [
        ["compact", "state", "--if-free", "120%"],
        ["compact", "state", "--if-free", "much"],
        ["stats", "state", "--json", "no/such/folder/f.json"],
        ["stats"],
        ["backup", "state"],
        ["stat", "state"],
    ],
    ids=" ".join,
)
def test_wrong_use(typed, path, monkeypatch, words):
    """Each mistake exits 2 with a sentence."""
    monkeypatch.chdir(path.parent)
    code, _out, err = typed(*words)
    assert code == main.WRONG_USE
    assert err.strip()
    assert "Traceback" not in err


def test_a_newer_format(typed, path):
    """It is no wrong use: exit 4, with the way out."""
    described = json.loads((path / "store.json").read_text())
    (path / "store.json").write_text(json.dumps({**described, "format": 99}))
    code, _out, err = typed("stats", path)
    assert code == main.FAILED
    assert "Upgrade flatwater" in err


def test_names_do_not_reach_the_terminal_raw(typed, path):
    """A path with an escape sequence in it is shown, not obeyed."""
    hostile = path.with_name("a\x1b[31mb")
    os.rename(path, hostile)
    for name in ("stats", "check"):
        code, out, _err = typed(name, hostile)
        assert code == main.HOLDS
        assert r"a\x1b[31mb" in out
        assert "\x1b[31m" not in out
