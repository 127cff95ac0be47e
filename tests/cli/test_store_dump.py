"""cli.store_dump: `flatwater store dump` and `load`, as a user types them."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys

import pytest

import flatwater as fw
from flatwater.cli import main

ENTRIES = 5000


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A store with two partitions, larger than what a pipe holds."""
    path = tmp_path_factory.mktemp("kept") / "state"
    with fw.Store(path, sync="off") as store:
        store.partition("users").write([((f"user/{n:06}", n), b'{"n":%d}' % n) for n in range(ENTRIES)])
        store.partition("roles").put((b"raw", None), b"\xff")
    return path


def flatwater(*words, **options):
    options = {"capture_output": True, "text": True, **options}
    command = [sys.executable, "-m", "flatwater", "store", *map(str, words)]
    return subprocess.run(command, timeout=60, check=False, **options)


def entries_of(path):
    with fw.Store(path, read_only=True) as store:
        return {
            name: [pair for batch in store.partition(name).batches() for pair in batch] for name in store.partitions()
        }


def test_there_and_back(kept, tmp_path):
    """A pipe from one store into another copies it; both say how much on stderr or stdout, and a second load does no harm."""
    dumped = flatwater("dump", kept, text=False)
    assert dumped.returncode == 0
    assert f"{ENTRIES + 1:,} entries".encode() in dumped.stderr
    for _turn in range(2):
        loaded = flatwater("load", tmp_path / "new", input=dumped.stdout, text=False)
        assert (loaded.returncode, loaded.stderr) == (0, b"")
        assert f"{ENTRIES + 1:,} entries loaded".encode() in loaded.stdout
        assert entries_of(tmp_path / "new") == entries_of(kept)


def test_files_and_forms(kept, tmp_path):
    """A file, compressed or not, in a form that can be read, of one partition."""
    plain, packed = tmp_path / "users.jsonl", tmp_path / "users.jsonl.gz"
    done = flatwater("dump", kept, "--partition", "users", "--format", "json", "-o", plain, "-q")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert json.loads(plain.read_text().splitlines()[1]) == {
        "partition": "users",
        "key": ["user/000000", 0],
        "value": {"n": 0},
    }
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    for file in (plain, packed):
        target = tmp_path / f"from-{file.name}"
        done = flatwater("load", target, "--input", file, "-q", "--sync", "off", "--batch-rows", "1000")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert entries_of(target) == {"users": entries_of(kept)["users"]}


def test_a_dump_that_was_cut_off(kept, tmp_path):
    """It exits 4, names the line and what came; with --partial it is good."""
    lines = flatwater("dump", kept).stdout.splitlines(keepends=True)
    done = flatwater("load", tmp_path / "new", input="".join(lines[:100]))
    assert done.returncode == main.FAILED
    assert "line 100" in done.stderr
    assert "99 entries" in done.stderr
    assert sum(map(len, entries_of(tmp_path / "new").values())) == 99
    done = flatwater("load", tmp_path / "new", input="".join(lines[:100])[:-9])
    assert "line 100 is broken" in done.stderr
    assert done.returncode == main.FAILED
    filtered = "".join(line for line in lines if '"user/00001' in line)
    done = flatwater("load", tmp_path / "part", "--partial", input=filtered)
    assert done.returncode == main.HOLDS, done.stderr
    assert len(entries_of(tmp_path / "part")["users"]) == 10


def test_a_source_that_is_broken(kept, tmp_path):
    """A compressed dump that was cut off: exit 4, the reason, how far it came, and that loading again does no harm."""
    packed = gzip.compress(flatwater("dump", kept, text=False).stdout)
    (tmp_path / "cut.gz").write_bytes(packed[: len(packed) // 2])
    done = flatwater("load", tmp_path / "new", "-i", tmp_path / "cut.gz")
    assert done.returncode == main.FAILED
    assert "middle of gzip data" in done.stderr
    assert "entries were loaded; load again" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(entries_of(tmp_path / "new")["users"]) > 100


@pytest.mark.parametrize(
    "content", ["", "no dump\n", '{"partition":"a","key":[1],"value":1}\n'], ids=["empty", "text", "lines"]
)
def test_what_is_no_dump_makes_no_store(tmp_path, content):
    """It is wrong use, and there is no new store afterwards."""
    done = flatwater("load", tmp_path / "new", input=content)
    assert done.returncode == main.WRONG_USE
    assert "no dump" in done.stderr
    assert os.listdir(tmp_path) == []


def test_a_line_that_is_too_long(tmp_path):
    """It is refused with the option that helps."""
    dump = '{{"flatwater_dump":1}}\n{{"partition":"a","key":[1],"value_text":"{}"}}\n{{"flatwater_dump_end":1}}\n'
    dump = dump.format("x" * 5000)
    done = flatwater("load", tmp_path / "new", "--longest-line", "1KiB", input=dump)
    assert done.returncode == main.FAILED
    assert "--longest-line" in done.stderr
    assert flatwater("load", tmp_path / "new", "--longest-line", "8KiB", input=dump).returncode == main.HOLDS


def test_a_store_of_another_backend(kept, tmp_path):
    """A backend that the store does not have is wrong use."""
    flatwater("load", tmp_path / "new", input='{"flatwater_dump":1}\n{"flatwater_dump_end":0}\n')
    dumped = flatwater("dump", kept, text=False).stdout
    done = flatwater("load", tmp_path / "new", "--backend", "rocksdb", input=dumped, text=False)
    assert done.returncode == main.WRONG_USE
    assert b"backend='lmdb'" in done.stderr


def test_a_reader_that_has_seen_enough(kept):
    """`dump | head` ends quietly with 141, as other tools do."""
    command = f"{sys.executable} -m flatwater store dump {kept} | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    first, code = done.stdout.splitlines()
    assert json.loads(first)["flatwater_dump"] == 1
    assert (code, done.stderr) == ("141", "")


@pytest.mark.parametrize("words", [[], ["-o", "/dev/full"]], ids=["stdout", "file"])
def test_a_full_disk(kept, words):
    """It is said, with exit 4."""
    with open("/dev/full", "w") as full:
        done = flatwater("dump", kept, *words, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == main.FAILED
    assert "no space left" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_is_whole_or_not_there(kept, tmp_path):
    """A dump that fails leaves the file that was there, and nothing beside it; one that ends well replaces it."""
    file = tmp_path / "out.jsonl"
    file.write_text("old")
    os.chmod(file, 0o600)
    done = flatwater("dump", kept, "--partition", "nobody", "-o", file)
    assert done.returncode == main.WRONG_USE
    assert "It has 'roles', 'users'" in done.stderr
    assert (file.read_text(), os.listdir(tmp_path)) == ("old", ["out.jsonl"])
    assert flatwater("dump", kept, "-o", file).returncode == main.HOLDS
    assert file.read_text().endswith(f'{{"flatwater_dump_end":{ENTRIES + 1}}}\n')
    assert (os.stat(file).st_mode & 0o777, os.listdir(tmp_path)) == (0o600, ["out.jsonl"])
    assert flatwater("dump", kept, "-o", tmp_path / "no" / "out").returncode == main.WRONG_USE


def test_a_load_that_is_ended(tmp_path):
    """SIGTERM in the middle: 143, how far it came, and the store is sound with whole batches in it."""
    command = [sys.executable, "-m", "flatwater", "store", "load", str(tmp_path / "new"), "--batch-rows", "10"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as load:
        load.stdin.write('{"flatwater_dump":1}\n')
        line = 0
        while not (tmp_path / "new" / "lmdb" / "data.mdb").exists() or line < 20_000:
            load.stdin.write(f'{{"partition":"main","key":[{line}],"value":1}}\n')
            line += 1
        load.stdin.flush()
        load.send_signal(signal.SIGTERM)
        said = load.stderr.read()
        load.stdin.close()
    assert load.returncode == 143
    assert "load again" in said
    assert len(entries_of(tmp_path / "new").get("main", [])) % 10 == 0
    assert flatwater("check", tmp_path / "new").returncode == main.HOLDS


def test_under_a_budget(kept, tmp_path):
    """What does not fit is refused by name: exit 1, and how to need less."""
    done = flatwater("dump", kept, text=False)
    program = (
        "import sys, flatwater as fw\nfrom flatwater.cli.main import main\n"
        "with fw.Budget('16 MiB'):\n    main(['store', 'load', sys.argv[1], *sys.argv[2:]])"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "new")]
    refused = subprocess.run(command, input=done.stdout, capture_output=True, timeout=60, check=False)
    assert refused.returncode == main.DOES_NOT_HOLD
    assert b"of 16.0 MiB" in refused.stderr
    command += ["--longest-line", "1MiB"]
    fits = subprocess.run(command, input=done.stdout, capture_output=True, timeout=60, check=False)
    assert fits.returncode == main.HOLDS, fits.stderr


@pytest.mark.parametrize("name", ["store.json", "lmdb/data.mdb", "new.jsonl"])
def test_a_dump_into_the_store_itself(kept, name):
    """It is refused, and the store is as it was."""
    done = flatwater("dump", kept, "-o", kept / name)
    assert done.returncode == 2
    assert "in the store itself" in done.stderr
    assert flatwater("check", kept).returncode == 0
