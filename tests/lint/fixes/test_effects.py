"""A loop that goes over the stream itself is seen by nobody: not by its output, not by what others hold, not when reading fails."""

from __future__ import annotations

import contextlib
import io
import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

STATEMENTS = [
    "found.append(line)", "found.append((number, line))", "out.append(line)", "print(line)", "counts[line] = counts.get(line, 0) + 1",
    "known[line] = 1", "held = out", "held.append(line)", "held = found", "line = line.strip()", "if line: continue", "if line == 'b': break",
    "if not line: return found", "number += 1", "total += len(line)", "total += int(line)", "groups[len(line)].append(line)", "groups[0] = out",
    "groups[0].append(line)", "for word in line.split(): found.append(word)", "for word in names: found.append(word)", "found.append(next(names))",
    "found.extend(names)", "found.append(dict(zip(names, line)))", "found.append(out)", "found[0].append(line)", "found, out = out, found",
    "counts.update(zip(line, names))", "last[0] = line", "alias.append(line)", "self.last = line", "found.append(call(line))", "found.clear()",
    "found = [*found, line]", "found += [line]", "out += [line]", "word = [each for each in names]", "found.append([x.upper() for x in line])",
    "text = line or out", "text.append(line)", "text = [line]", "found.append(sorted(line, key=call))", "found.append(file.tell())", "del found[:]",
    "found.append(lambda: line)", "assert line", "first = known[line]", "first = table[len(line)]", "x = (out)[0:]",
    "found.append(f'{line:>3}{number}')", "(held := out).append(line)", "found.append(max(names, default=''))", "counts |= {line: number}",
    "found.append('-'.join(names))", "found.append(line in found)",
]  # fmt: skip
HEADS = [
    "found = []", "found = out", "self.found = found = []", "found = []\n    out.append(found)", "found = []\n    look = lambda: found\n    out.append(look)",
    "found = list()", "(found := []).append(1)", "found = out[:0]", "found, counts = [], {}",
]  # fmt: skip
FRAMES = [
    "    with open(path, encoding='ascii') as file:\n        for number, line in enumerate(file.readlines()):\n{}",
    "    try:\n        with open(path, encoding='ascii') as file:\n            for number, line in enumerate(file.readlines()):\n{}\n    except ValueError:\n        pass",
    "    for again in range(2):\n        with open(path, encoding='ascii') as file:\n            for number, line in enumerate(file.readlines()):\n{}\n        out.append(len(found))",
    "    for again in range(2):\n        found = []\n        with open(path, encoding='ascii') as file:\n            for number, line in enumerate(file.readlines()):\n{}\n        out.append(found)",
]  # fmt: skip
BODY = """
import collections
last = [""]
table = {{1: "x", 2: "y"}}
def f(self, path, out, known, names, call):
    counts, groups, alias, number, total, text = {{}}, collections.defaultdict(list), last, 0, 0, ""
    {head}
{frame}
    return found, counts, groups, total
"""


class Self:
    """Something with attributes."""


def _seen(text, path):
    """All that anybody can see of a run."""
    space, printed, self = {}, io.StringIO(), Self()
    exec(compile(text, "text.py", "exec"), space)
    out, known, called, names = [], {"a\n": 1}, [], iter("abcdef")

    def call(value):
        called.append(value)
        return str(value)

    with contextlib.redirect_stdout(printed):
        try:
            said = repr(space["f"](self, path, out, known, names, call))
        except Exception:
            said = "an error"
    # Functions are seen by what they give.
    shown = [each() if callable(each) else each for each in out]
    all_of_it = (said, shown, known, vars(self), called, list(names), space["last"], printed.getvalue())
    return re.sub(r" at 0x\w+", "", repr(all_of_it))


def test_nobody_can_tell(fixed, tmp_path):
    """Of loops put together by chance, those that are changed do the same, also when a byte at the end is no text."""
    path = tmp_path / "data"
    changed, tried = set(), set()

    @settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(
        st.sampled_from(HEADS), st.sampled_from(FRAMES), st.lists(st.sampled_from(STATEMENTS), min_size=1, max_size=3),
        st.lists(st.sampled_from([b"a", b"b", b"", b"12", b"\xff", b"a b c"]), max_size=6),
    )  # fmt: skip
    def same(head, frame, statements, lines):
        indent = " " * (16 if frame.startswith(("    try", "    for")) else 12)
        text = BODY.format(head=head, frame=frame.format("\n".join(indent + each for each in statements)))
        try:
            compile(text, "text.py", "exec")
        except SyntaxError:
            return
        new = fixed("FW102", text)
        tried.update(statements)
        if new == text:
            return
        changed.add((head, frame, *statements))
        path.write_bytes(b"\n".join(lines))
        assert _seen(text, str(path)) == _seen(new, str(path)), (head, statements)

    same()
    assert len(changed) >= 30
    assert len(tried) == len(STATEMENTS)
