"""tour.steps.mirror_documents: a folder mirrored twice, inside a share."""

from __future__ import annotations

import os

import pytest

from flatwater import errors
from flatwater.budget import Budget
from flatwater.sync.remotes.directory import Directory
from flatwater.tour import Inputs, Root
from flatwater.tour.steps.mirror_documents import MirrorDocuments

pytest.importorskip("lmdb")
MIB = 1 << 20


def run(folder, *roots, seconds=60.0):
    step, inputs = MirrorDocuments(), Inputs(roots, seconds, str(folder))
    step.prepare(inputs)
    assert step.trouble == ""
    with Budget(128 * MIB) as budget, budget.share(step.name, step.bytes_max(budget.free)) as share, share:
        result = step.run(share, inputs)
        assert share.peak <= step.bytes_least
    assert budget.held == 0
    return result


@pytest.fixture
def documents(tmp_path):
    """Two folders and a file, with names that mean something in patterns."""
    root = tmp_path / "documents"
    for name in ("a/one", "a/deep/two", "b [1]*/three", "!four", "# five"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / "link").symlink_to("a")
    return root


def test_all_is_mirrored_once(tmp_path, documents):
    """And nothing a second time; the mirror goes away."""
    (tmp_path / "work").mkdir()
    result = run(tmp_path / "work", Root(str(documents)))
    assert (result.items, result.item_name, result.complete) == (5, "files", True)
    assert "the second run copied and deleted nothing" in result.notes[0]
    assert os.listdir(tmp_path / "work") == []


def test_programs_and_single_files_are_left_out(tmp_path, documents):
    """What has suffixes is of the steps before."""
    (tmp_path / "work").mkdir()
    result = run(tmp_path / "work", Root(str(documents), (".py",)), Root(str(documents / "!four")))
    assert result.items == 0


def test_its_time_is_over(tmp_path, documents):
    """It mirrors what was chosen by then, and says that there is more."""
    (tmp_path / "work").mkdir()
    result = run(tmp_path / "work", Root(str(documents)), seconds=0.0)
    assert (result.items, result.complete) == (0, False)


def test_a_mirror_that_loses_a_file_is_told(tmp_path, documents, monkeypatch):
    """A sync that says it copied what is not there is an error."""
    (tmp_path / "work").mkdir()
    real = Directory.settle

    def losing(self):
        real(self)
        for folder, _below, names in os.walk(self.root):
            for name in names:
                if name == b"two":
                    os.unlink(os.path.join(folder, name))

    monkeypatch.setattr(Directory, "settle", losing)
    with pytest.raises(errors.BrokenError, match="is not its source"):
        run(tmp_path / "work", Root(str(documents)))
