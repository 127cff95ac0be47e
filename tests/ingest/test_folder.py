"""ingest.folder: the directory of a corpus."""

from __future__ import annotations

import os

import pytest

from flatwater import errors
from flatwater.ingest import folder


def made(path):
    path.mkdir()
    (path / folder.MANIFEST).touch()
    folder.describe(str(path))
    return str(path)


def test_a_corpus_is_known_by_its_description(tmp_path):
    """Nothing, an empty directory and a half-made corpus are none yet."""
    assert not folder.exists(str(tmp_path / "none"))
    assert not folder.exists(str(tmp_path))
    half = tmp_path / "half"
    half.mkdir()
    (half / folder.MANIFEST).touch()
    assert not folder.exists(str(half))
    assert folder.exists(made(tmp_path / "whole"))


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"", errors.CorruptError, "cannot be read"), (b"{", errors.CorruptError, "cannot be read"),
        (b"\xff\xfe", errors.CorruptError, "cannot be read"), (b"[" * 10_000, errors.CorruptError, "cannot be read"),
        (b"{}", errors.UsageError, "no corpus of flatwater"),
        (b'{"format":1,"corpus":"another"}', errors.UsageError, "no corpus of flatwater"),
        (b'{"format":2,"corpus":"flatwater"}', errors.BrokenError, "format 2.*Upgrade"),
        (b" " * (1 << 17) + b"{}", errors.CorruptError, "cannot be read"),
    ],
)  # fmt: skip
def test_a_description_that_is_another_is_told(tmp_path, content, error, message):
    """Damage, foreign files and newer versions are told from each other."""
    path = made(tmp_path / "corpus")
    with open(os.path.join(path, folder.DESCRIPTION), "wb") as file:
        file.write(content)
    with pytest.raises(error, match=message):
        folder.exists(path)


def test_a_lost_manifest_is_told(tmp_path):
    """A description alone is what is left of a corpus."""
    path = made(tmp_path / "corpus")
    os.unlink(os.path.join(path, folder.MANIFEST))
    with pytest.raises(errors.CorruptError, match="is gone"):
        folder.exists(path)


def test_paths_that_are_none_are_refused():
    """With what was given."""
    for path in ("", "a\0b", 7, "\udcff"):
        with pytest.raises(errors.UsageError):
            folder.path_of(path)


def test_one_at_a_time_writes(tmp_path):
    """The second is refused, and may when the first has ended; the lock file stays."""
    path = str(tmp_path / "corpus")
    with folder.writing(path), pytest.raises(errors.BrokenError, match="somebody else writes"), folder.writing(path):
        pass
    with folder.writing(path):
        assert os.listdir(path) == [folder.LOCK]


def test_a_directory_that_cannot_be_made_is_told(tmp_path):
    """With the system's reason."""
    (tmp_path / "file").touch()
    with pytest.raises(errors.BrokenError, match="not a directory"), folder.writing(str(tmp_path / "file" / "corpus")):
        pass
