"""`sorted(x)[:k]` becomes `heapq.nsmallest(k, x)`, where the order is total."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

KEPT = {
    "numbers of any kind, of which one may be NaN": "def f(rows): return sorted(rows)[:3]",
    "a key that may be NaN": "def f(d): return sorted(d.items(), key=lambda item: item[1])[:3]",
    "a key of the program's": "def f(d, g): return sorted(d.items(), key=g)[:3]",
    "no number": "import os\ndef f(path, k): return sorted(os.listdir(path))[:k]",
    "none of it": "import os\ndef f(path): return sorted(os.listdir(path))[:0]",
    "from the end": "import os\ndef f(path): return sorted(os.listdir(path))[:-3]",
    "the last ones": "import os\ndef f(path): return sorted(os.listdir(path))[-3:]",
    "each second": "import os\ndef f(path): return sorted(os.listdir(path))[:4:2]",
    "the first": "import os\ndef f(path): return sorted(os.listdir(path))[0]",
    "a truth as a number": "import os\ndef f(path): return sorted(os.listdir(path))[:True]",
    "an order that is decided later": "import os\ndef f(path, down): return sorted(os.listdir(path), reverse=down)[:3]",
    "another `sorted`": "import os\nfrom x import sorted\ndef f(path): return sorted(os.listdir(path))[:3]",
    "another `heapq`": "import os\nheapq = 1\ndef f(path): return sorted(os.listdir(path))[:3]",
    "names from everywhere": "import os\nfrom x import *\ndef f(path): return sorted(os.listdir(path))[:3]",
    "a comment in the slice": "import os\ndef f(path): return sorted(os.listdir(path))[  # few\n    :3]",
    "an assignment": "import os\ndef f(path): sorted(os.listdir(path))[:3] = []",
    "a key of two orders": "import os\ndef f(path): return sorted(os.listdir(path), key=lambda n: float(n))[:3]",
    "within an f-string": "import os\ndef f(path): return f'{sorted(os.listdir(path))[:3]}'",
}

CHANGED = {
    "the first names": ("sorted(f.names(d))[:3]", "sorted(os.listdir(d))[:3]", "heapq.nsmallest(3, os.listdir(d))"),
    "the last names": ("", "sorted(os.listdir(d), reverse=True)[:2]", "heapq.nlargest(2, os.listdir(d))"),
    "in order": ("", "sorted(os.listdir(d), reverse=False)[:1]", "heapq.nsmallest(1, os.listdir(d))"),
    "a key, and more behind it": ("", "sorted(os.listdir(d), reverse=True, key=len)[: 50]", "heapq.nlargest(50, os.listdir(d), key=len)"),
    "a key that reads": ("", "sorted(os.listdir(d), key=lambda n: (-len(n), n.lower()))[:3]", "heapq.nsmallest(3, os.listdir(d), key=lambda n: (-len(n), n.lower()))"),
    "paths by size": (
        "", "sorted(pathlib.Path(d).iterdir(), key=lambda p: p.stat().st_size, reverse=True)[:3]",
        "heapq.nlargest(3, pathlib.Path(d).iterdir(), key=lambda p: p.stat().st_size)",
    ),
    "what is in a dict": ("", "sorted(dict.fromkeys(os.listdir(d), 'x').items(), key=lambda x: len(x[0]))[:3]", "heapq.nsmallest(3, dict.fromkeys(os.listdir(d), 'x').items(), key=lambda x: len(x[0]))"),
    "in brackets": ("", "(sorted(os.listdir(d))[:3])", "(heapq.nsmallest(3, os.listdir(d)))"),
    "lengths": ("", "sorted([len(n) for n in os.listdir(d)])[:3]", "heapq.nsmallest(3, [len(n) for n in os.listdir(d)])"),
}  # fmt: skip
HEAD = '"""Text."""\nfrom __future__ import annotations\nimport os\nimport pathlib\n'


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_nothing_is_changed(fixed, text):
    """Where an order may have gaps, or the number is not known."""
    assert fixed("FW203", text) == text


@pytest.mark.parametrize(("old", "new"), [each[1:] for each in CHANGED.values()], ids=CHANGED)
def test_a_heap_holds_the_few(fixed, old, new):
    """The call is another one, and heapq is imported once."""
    text = fixed("FW203", f"{HEAD}def f(d):\n    return {old}\n")
    assert text.endswith(f"def f(d):\n    return {new}\n")
    assert text.count("import heapq\n") == 1
    assert text.startswith('"""Text."""\nfrom __future__ import annotations\n')
    assert fixed("FW203", text) == text


@pytest.mark.parametrize("old", [each[1] for each in CHANGED.values()], ids=CHANGED)
def test_it_does_the_same(fixed, outcome, tmp_path, old):
    """Of any folder, both give the same, in the same order."""
    before = f"{HEAD}import shutil\ndef f(d):\n    return {old}\n"
    after = fixed("FW203", before)
    assert after != before
    name = st.text(st.sampled_from("aAbB.é1"), min_size=1, max_size=4).filter(lambda text: text.strip("."))
    count = iter(range(10_000))

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.dictionaries(name, st.binary(max_size=3), max_size=8))
    def same(files):
        folder = tmp_path / f"d{next(count)}"
        folder.mkdir()
        for each, data in files.items():
            (folder / each).write_bytes(data)
        assert outcome(before, str(folder)) == outcome(after, str(folder))

    same()


def test_an_import_that_is_there_is_used(fixed):
    """Above the place, in the module; one below it, or within a function, is none."""
    line = "rows = sorted(os.listdir('.'))[:3]\n"
    assert fixed("FW203", f"import os\nimport heapq\n{line}").count("heapq") == 2
    below = f"import os\n{line}import heapq\n"
    assert fixed("FW203", below) == below
    inside = f"import os\ndef f():\n    import heapq\n    {line}"
    assert fixed("FW203", inside) == inside


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(st.sampled_from("ab"), max_size=3)), st.integers(1, 12), st.booleans())
def test_heapq_is_what_it_says(words, count, reverse):
    """`nsmallest` and `nlargest` keep what is equal in its order, with and without a key."""
    import heapq

    few = heapq.nlargest if reverse else heapq.nsmallest
    marked = [(word, object()) for word in words]
    assert few(count, words) == sorted(words, reverse=reverse)[:count]
    assert (
        few(count, marked, key=lambda each: len(each[0]))
        == sorted(marked, key=lambda each: len(each[0]), reverse=reverse)[:count]
    )


def test_the_program_keeps_its_head(fixed):
    """A line for the shell, a coding and a comment stay above what is imported."""
    text = "#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\n# Words.\n\nimport os  # one\n\nprint(sorted(os.listdir('.'))[:3])\n"
    new = fixed("FW203", text)
    assert new.startswith(
        "#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\n# Words.\n\nimport os  # one\nimport heapq\n"
    )
    assert textwrap.dedent(new).endswith("print(heapq.nsmallest(3, os.listdir('.')))\n")


def test_imports_further_down(fixed, outcome):
    """A use between imports has it above."""
    text = "import os\nfirst = sorted(os.listdir('.'))[:1]\nimport sys\ndef f():\n    return len(first)\n"
    assert outcome(fixed("FW203", text)) == outcome(text)
