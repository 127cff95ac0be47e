"""cli.reports.store_text: the words of a check."""

from __future__ import annotations

import click

from flatwater.cli.reports import store_text


def test_a_sound_store():
    """One line."""
    assert click.unstyle(store_text.said_check("state", [])) == "flatwater store check: state is sound\n"


def test_findings():
    """The verdict with their number, then each on a line of its own, harmless to a terminal."""
    text = click.unstyle(store_text.said_check("state", ["page 3", "page\x1b[2J 4"]))
    assert text.splitlines() == [
        "flatwater store check: state is damaged, 2 findings:", "  page 3", r"  page\x1b[2J 4",
    ]  # fmt: skip
    assert "1 finding:" in store_text.said_check("state", ["page 3"])
    assert "11 findings:" in store_text.said_check("state", ["page 3"] * 11)
