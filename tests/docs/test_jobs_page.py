"""docs/jobs.md: what it shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "jobs.md").read_text(encoding="utf-8")


def test_the_code_of_the_page(tmp_path, monkeypatch, capsys):
    """Its blocks run one after another, as a reader types them, and print what follows them."""
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) > 5
    exec(compile("\n".join(blocks), "jobs.md", "exec"), {})
    printed = capsys.readouterr().out
    for line in re.search(r"```\n(Lines .*?)```", PAGE, re.DOTALL)[1].splitlines():
        assert line.removesuffix(" ...") in printed
    assert "refused" in printed
    assert "1 items failed" in printed
