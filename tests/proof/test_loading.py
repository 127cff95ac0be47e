"""proof.loading: the function that is meant, and what its text tells before it is called."""

from __future__ import annotations

import functools
import subprocess
import sys

from flatwater.proof import loading

SCENARIOS = """
import functools

class Loader:
    def load(self, n): return n
    def ignores(self, n): return 1
    @classmethod
    def made(cls, n): return n
    @staticmethod
    def plain(n): return n
class Made:
    def __init__(self, n): self.rows = [0] * n
loader = Loader()
def flat(n): return sum(range(n))
def hides(n): return (lambda: n)()
def by_name(n): return locals()
def star(*args): return args
def ignores(n): return 1
def only_deletes(n):
    del n
"""


def test_one_that_never_reads_its_n():
    """It is told by its code, where there is any: of a method after the object or class."""
    names = {}
    exec(SCENARIOS, names)
    loader, kind = names["loader"], names["Loader"]
    reads = [names[name] for name in ("flat", "hides", "by_name", "star", "Made")]
    reads += [functools.partial(lambda step, n: n, 1), functools.lru_cache(names["flat"])]
    reads += [loader.load, kind.made, kind.plain, len, lambda n: f"{n}", lambda n, m: (m, n), lambda *, n: n]
    assert [function for function in reads if not loading.reads_n(function)] == []
    ignores = [names["ignores"], names["only_deletes"], loader.ignores, lambda n, m=1: m, lambda _n: None]
    assert [function for function in ignores if loading.reads_n(function)] == []


def test_what_may_return_a_coroutine():
    """Also behind a decorator, a partial, and where calling an object does."""

    async def waits(n):
        return n

    @functools.wraps(waits)
    def wrapper(n):
        return waits(n)

    class Waits:
        async def __call__(self, n):
            return n

    assert all(map(loading.may_be_async, (waits, wrapper, Waits(), functools.partial(waits, 1))))
    assert not any(map(loading.may_be_async, (len, lambda n: n, Waits)))


def test_what_a_scenario_is_called_with():
    """What the set-up made is left out where it is not wanted; what does not fit is said."""
    for function, given, wanted in (
        (lambda n: n, [1, "made"], [1]),
        (lambda n, made: n, [1, "made"], [1, "made"]),
        (lambda n, batch=7: n, [1, None], [1]),
        (lambda *words: words, [1, "made"], [1, "made"]),
        (max, [1, 2], [1, 2]),
    ):
        assert loading.fit(function, given) == ""
        assert given == wanted
    assert "its signature is ()" in loading.fit(lambda: 1, [1])
    assert "its signature is (*, n)" in loading.fit(lambda *, n: n, [1])


def test_names_of_files(tmp_path):
    """A file named like a module of ours or of Python's, or like no module at all, is the one that is meant."""
    names = [
        "json.py",
        "os.py",
        "token.py",
        "child.py",
        "my-job.py",
        "a b.py",
        "ünï.py",
        "1.py",
        "__main__.py",
        "flatwater.py",
    ]
    for name in names:
        (tmp_path / name).write_text(f"def load(n): return n, {name!r}\n")
    script = (
        "import sys; from flatwater.proof import loading\n"
        "for path in sys.argv[1:]: print(loading.module_of(path).load(7)[1])"
    )
    words = [sys.executable, "-P", "-c", script, *(str(tmp_path / name) for name in names)]
    done = subprocess.run(words, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.stdout.splitlines() == names, done.stderr
