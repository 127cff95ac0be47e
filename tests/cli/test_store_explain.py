"""cli.store_explain: `flatwater store explain`, as a user types it."""

from __future__ import annotations

import json

import pytest

from flatwater.cli import main
from flatwater.store.explaining import explain

SEED = """
[storage.rocksdb]
write_buffer_size = 8388608
max_write_buffers = 2
block_cache_size = 134217728
max_background_jobs = 2
max_open_files = 256
"""


@pytest.fixture
def typed(capsys):
    """How a command ends: exit code, stdout, stderr."""

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            main.main(["store", "explain", *map(str, words)])
        return ended.value.code, *capsys.readouterr()

    return run


def figures(typed, *words):
    code, out, err = typed(*words, "--json", "-")
    assert (code, err) == (main.HOLDS, "")
    return json.loads(out)


def test_a_table_for_people(typed):
    """The addends and their sum, for the backend that is asked for."""
    for backend in ("rocksdb", "lmdb"):
        code, out, _err = typed("--backend", backend, "--tables", 1000)
        assert (code, out) == (main.HOLDS, f"{explain(backend, 1000)}\n")


def test_the_seeds_arithmetic(typed):
    """A column family for each of 50 tables, with three write buffers of 64 MB, takes 9.6 GB; in one, tables cost nothing."""
    found = figures(
        typed, "--tables", 50, "--per-table-families", "--write-buffer-size", "64MB", "--max-write-buffers", 3
    )
    assert found["lines"][0]["bytes"] == 9_600_000_000
    assert figures(typed, "--tables", 1)["total"] == figures(typed, "--tables", 1000)["total"]


def test_settings_of_a_file(typed, tmp_path):
    """The table [storage.rocksdb] of a TOML file holds where no option says otherwise."""
    file = tmp_path / "server.toml"
    file.write_text(SEED)
    options = {"write_buffer_size": 8 << 20, "max_write_buffers": 2, "block_cache_size": 128 << 20}
    assert figures(typed, "--config", file) == explain("rocksdb", 1, options=options).to_dict()
    options["block_cache_size"] = 64 << 20
    assert (
        figures(typed, "--config", file, "--block-cache-size", "64MiB")
        == explain("rocksdb", 1, options=options).to_dict()
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "no table [storage.rocksdb]"),
        ("storage = 1", "no table [storage.rocksdb]"),
        ("[storage.rocksdb]\nwrite_bufer_size = 1", "write_bufer_size"),
        ("[storage.rocksdb]\nwrite_buffer_size = 'much'", "write_buffer_size"),
        ("storage =", "is no TOML"),
        ("# \udcff", "is no TOML"),
    ],
    ids=range(6),
)
def test_a_file_that_says_nothing(typed, tmp_path, content, says):
    """It is wrong use, and the reason is said."""
    file = tmp_path / "server.toml"
    file.write_bytes(content.encode("utf-8", "surrogateescape"))
    code, out, err = typed("--config", file)
    assert (code, out) == (main.WRONG_USE, "")
    assert says in err


@pytest.mark.parametrize(
    "words",
    [
        ["--tables", "0"],
        ["--backend", "bbolt"],
        ["--backend", "lmdb", "--max-write-buffers", "2"],
        ["--max-write-buffers", "0"],
        ["--block-cache-size", "0"],
        ["--config", "no-such-file.toml"],
    ],
    ids=" ".join,
)
def test_wrong_use(typed, words):
    """Each mistake exits 2 with a sentence."""
    code, _out, err = typed(*words)
    assert code == main.WRONG_USE
    assert err.strip()
    assert "Traceback" not in err
