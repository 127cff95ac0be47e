"""What was found before."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from flatwater import limits
from flatwater.lint import cache as caches
from flatwater.lint.cache import Cache
from flatwater.lint.finding import Confidence, Finding
from flatwater.lint.linter import Linter

HERE = Finding("", 3, 8, "FW101", "It holds all.", Confidence.SURE, 3, 20, "rows = c.fetchall()", 2, 5)


@pytest.fixture
def folder(tmp_path):
    """Where a cache is."""
    return str(tmp_path / "cache")


def kept(folder, data=b"x", found=(HERE,)):
    """Put something there, and let go."""
    with Cache(folder) as cache:
        key = cache.key(data, is_notebook=False)
        cache.put(key, list(found))
    return key


def test_what_was_found(folder):
    """It is the same again, for the next process; also that nothing was."""
    one, two = kept(folder), kept(folder, b"y", [])
    with Cache(folder) as cache:
        assert cache.get(one) == [HERE]
        assert cache.get(two) == []
        assert cache.get(cache.key(b"z", is_notebook=False)) is None
        assert (cache.hits, cache.misses) == (2, 1)


def test_the_key(folder):
    """It is of the bytes and of what kind of file they are, and of the linter's own code and Python."""
    with Cache(folder) as cache:
        keys = {cache.key(data, is_notebook=kind) for data in (b"x", b"y") for kind in (True, False)}
        keys.add(cache.key(b"x", is_notebook=False, is_testing=True))
        assert len(keys) == 5
        cache._digest = b"another version"
        assert cache.key(b"x", is_notebook=False) not in keys


def test_names_and_texts_that_are_no_text(folder):
    """A name of bytes is no part of what is kept; half a letter in a text is not kept."""
    key = kept(folder, found=[replace(HERE, path="\udcff.py")])
    other = kept(folder, b"y", [replace(HERE, source="\ud800")])
    with Cache(folder) as cache:
        assert cache.get(key) == [HERE]
        assert cache.get(other) is None


def test_the_code_counts(tmp_path, monkeypatch):
    """Another rule is another digest."""
    before = caches._code_digest()
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/fw999.py").write_text("")
    monkeypatch.setattr(caches, "__file__", str(tmp_path / "cache.py"))
    assert caches._code_digest() != before


def test_left_alone(folder, tmp_path):
    """Git and backups are told to leave it out."""
    kept(folder)
    assert (tmp_path / "cache/.gitignore").read_text() == "*\n"
    assert (tmp_path / "cache/CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55")


def test_a_change_that_no_time_tells(folder, tmp_path):
    """A file with other bytes, of the same size and time, is looked at again."""
    path = tmp_path / "a.py"
    text = "import sqlite3\nfor row in sqlite3.connect('a').execute('SELECT * FROM t').fetch{}(): print(row)\n"
    path.write_text(text.format("all"))
    os.utime(path, ns=(10**18, 10**18))
    with Cache(folder) as cache:
        assert [each.code for each in Linter(cache=cache).look([str(path)])] == ["FW101"]
    path.write_text(text.format("one"))
    os.utime(path, ns=(10**18, 10**18))
    with Cache(folder) as cache:
        assert list(Linter(cache=cache).look([str(path)])) == []


def test_the_same_bytes_elsewhere(folder, tmp_path):
    """A finding names the file that it is told of, not the one that it was kept for."""
    text = "def f(x=[]):\n    x.append(1)\n    return x\n"
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text(text)
    with Cache(folder) as cache:
        first = list(Linter(cache=cache).file(str(tmp_path / "a.py")))
    with Cache(folder) as cache:
        second = list(Linter(cache=cache).file(str(tmp_path / "b.py")))
        assert cache.hits == 1
    assert [(os.path.basename(each.path), each.code) for each in first + second] == [
        ("a.py", "FW305"),
        ("b.py", "FW305"),
    ]


DAMAGE = {
    "no database": lambda data: b"this is no database" * 1000,
    "empty": lambda data: b"",
    "cut off": lambda data: data[: len(data) // 2],
    "holes": lambda data: data[:100] + bytes(len(data) - 100),
    "another table": lambda data: data.replace(b"found", b"fount"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damage(folder, damage):
    """A file that is damaged is thrown away, in this run or the next, and nothing wrong is told."""
    key = kept(folder)
    path = os.path.join(folder, caches.NAME)
    with open(path, "rb") as file:
        data = file.read()
    with open(path, "wb") as file:
        file.write(damage(data))
    for _again in range(3):
        with Cache(folder) as cache:
            assert cache.get(key) in (None, [HERE])
            cache.put(key, [HERE])
    with Cache(folder) as cache:
        assert cache.get(key) == [HERE]


def test_an_entry_that_is_damaged(folder):
    """What cannot be read is not known."""
    key = kept(folder)
    with sqlite3.connect(os.path.join(folder, caches.NAME)) as connection:
        connection.execute("UPDATE looked SET found = x'ff00'")
    connection.close()
    with Cache(folder) as cache:
        assert cache.get(key) is None


PLACES = {
    "a file in its place": lambda tmp_path: (tmp_path / "cache").write_text(""),
    "a folder in its file's place": lambda tmp_path: (tmp_path / "cache" / caches.NAME).mkdir(parents=True),
    "a link to nothing": lambda tmp_path: (tmp_path / "cache").symlink_to("/nothing/at/all"),
}


@pytest.mark.parametrize("make", PLACES.values(), ids=PLACES)
def test_a_place_that_cannot_be_written(folder, tmp_path, make):
    """Then there is no cache, and nothing else happens."""
    make(tmp_path)
    key = kept(folder)
    with Cache(folder) as cache:
        assert cache.get(key) is None


def test_somebody_else_writes(folder, monkeypatch):
    """A cache that another process holds is read or left alone, and never waited for without end."""
    monkeypatch.setattr(limits, "LINT_CACHE_WAIT_S", 0.01)
    key = kept(folder)
    other = sqlite3.connect(os.path.join(folder, caches.NAME), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with Cache(folder) as cache:
        assert cache.get(key) is None
        cache.put(key, [HERE])
    other.execute("ROLLBACK")
    other.close()
    with Cache(folder) as cache:
        assert cache.get(key) == [HERE]


def test_its_bound(folder, monkeypatch):
    """The older half goes before the file is larger than it may be."""
    bound = 64 * caches.PAGE_BYTES
    monkeypatch.setattr(limits, "LINT_CACHE_BYTES_MAX", bound)
    monkeypatch.setattr(limits, "LINT_CACHE_PENDING_MAX", 10)
    path = os.path.join(folder, caches.NAME)
    with Cache(folder) as cache:
        for number in range(2_000):
            key = cache.key(b"%d" % number, is_notebook=False)
            cache.put(key, [HERE])
            assert not os.path.exists(path) or os.path.getsize(path) <= bound
    with Cache(folder) as cache:
        assert cache.get(key) == [HERE]
        assert cache.get(cache.key(b"0", is_notebook=False)) is None


def test_one_file_that_is_too_much(folder, monkeypatch):
    """Findings that do not fit at all cost the cache, and no more."""
    monkeypatch.setattr(limits, "LINT_CACHE_BYTES_MAX", 8 * caches.PAGE_BYTES)
    kept(folder, found=[HERE] * 1_000)
    key = kept(folder)
    with Cache(folder) as cache:
        assert cache.get(key) == [HERE]


WRITER = """
    import sys
    from flatwater.lint.cache import Cache
    from flatwater.lint.finding import Confidence, Finding
    here = Finding("a.py", 3, 8, "FW101", "It holds all.", Confidence.SURE, 3, 20, "rows")
    with Cache(sys.argv[1]) as cache:
        for number in range(int(sys.argv[2])):
            cache.put(cache.key(b"%d" % number, is_notebook=False), [here])
            if number == 2_000:
                print("going", flush=True)
"""


def writer(folder, count):
    """A process that fills a cache."""
    command = [sys.executable, "-c", textwrap.dedent(WRITER), folder, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_process_that_is_killed(folder):
    """Another one can read and write what is left."""
    with writer(folder, 10_000_000) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    with Cache(folder) as cache:
        first = cache.key(b"0", is_notebook=False)
        assert [each.code for each in cache.get(first)] == ["FW101"]
    connection = sqlite3.connect(os.path.join(folder, caches.NAME))
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_several_at_once(folder):
    """Processes that write at once leave a file that is whole."""
    several = [writer(folder, 3_000) for _ in range(3)]
    for process in several:
        process.communicate()
    assert [process.returncode for process in several] == [0, 0, 0]
    connection = sqlite3.connect(os.path.join(folder, caches.NAME))
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("SELECT count(*) FROM looked").fetchone()[0] >= 1
    connection.close()


def test_what_rules_ask_of_a_name(tmp_path, monkeypatch):
    """A queue in a package called testing is a doubt, and the same text elsewhere is not, whichever is looked at first."""
    monkeypatch.chdir(tmp_path)
    text = (
        (Path(__file__).parents[2] / "docs/rules/fw401.md").read_text().partition("```python\n")[2].partition("```")[0]
    )
    for name in ("testing", "src"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.py").write_text(text)
    with Cache(str(tmp_path / "cache")) as cache:
        assert [each.path for each in Linter(cache=cache).look(["testing", "src"])] == ["src/a.py"]
