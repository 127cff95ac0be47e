"""The page of flows: its code runs, and prints what the page shows."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = (Path(__file__).parent.parent.parent / "docs" / "flows.md").read_text("utf-8")


def test_the_code_of_the_page(tmp_path, monkeypatch, capsys):
    """Its blocks run one after another, as a reader types them, and print the tables that follow them."""
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) > 3
    exec(compile("\n".join(blocks), "flows.md", "exec"), {})
    printed = capsys.readouterr().out
    for shown in re.findall(r"\n\n```\n((?:stage|range) .*?)\n```", PAGE, re.DOTALL):
        at = 0
        for part in shown.split("..."):
            for line in part.strip("\n").splitlines():
                found = re.compile(r"\s+".join(map(re.escape, line.split()))).search(printed, at)
                assert found, line
                at = found.start()
