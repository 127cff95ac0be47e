"""tour.naive.paths: names of files in a list."""

from __future__ import annotations

from flatwater.tour import Root
from flatwater.tour.naive.paths import below


def test_names_of_all_files(tmp_path):
    """Sorted in each folder, those with a suffix if there is one; links and what is no file are left out."""
    for name in ("b.txt", "a.md", "c.py", "deep/d.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "link.txt").symlink_to("b.txt")
    names = [path.removeprefix(f"{tmp_path}/") for path in below([Root(str(tmp_path))])]
    assert names == ["a.md", "b.txt", "c.py", "deep/d.txt"]
    assert [path[-5:] for path in below([Root(str(tmp_path))], (".txt",))] == ["b.txt", "d.txt"]
    assert [path[-4:] for path in below([Root(str(tmp_path), (".py",))])] == ["c.py"]
