"""cli.reports.leaks_text: the words on a terminal."""

from __future__ import annotations

from flatwater.cli.reports import leaks_text
from flatwater.proof.leaks.report import Leak, LeakReport


def test_what_stands_out():
    """The verdict and each headline are bold; a name with control characters does no harm to the terminal."""
    leak = Leak("objects", "evil\x1b[2Jname", 1, 16, ("app.X",))
    text = leaks_text.render(LeakReport("app.load", [leak], None, 8, 2, 18))
    assert text.startswith("\x1b[31m\x1b[1mflatwater leaks: 1 leak in app.load")
    assert "\x1b[2J" not in text
    assert "\x1b[1m  1  1 more evil?[2Jname" in text
    assert text.endswith("\n")
    clean = leaks_text.render(LeakReport("app.load", [], None, 8, 2, 10))
    assert clean.startswith("\x1b[32m")
