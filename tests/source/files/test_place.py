from __future__ import annotations

import io
import pickle
import threading
from itertools import pairwise
from pathlib import Path

import pytest

from flatwater import errors
from flatwater.source.files.place import Place, known_options, public_url


@pytest.mark.parametrize("target", [None, True, "", "a\0b", -1, 3.5, object()])
def test_what_names_no_file(target):
    """Nothing that cannot be read is taken."""
    with pytest.raises(errors.UsageError):
        Place(target)


def test_text_files_are_refused():
    """A file that is open for text gives no bytes, and the hint says how it would."""
    with pytest.raises(errors.UsageError, match="'rb'"), open(__file__, encoding="utf-8") as file:
        Place(file)


@pytest.mark.parametrize(
    ("target", "name"),
    [("a/b", "a/b"), (Path("a"), "a"), (b"a", "a"), ("-", "standard input"), (3, "descriptor 3"), (io.BytesIO(), "a BytesIO"),
     ("https://u:p@host/x?sig=1#f", "https://host/x")],
)  # fmt: skip
def test_names(target, name):
    """Each has a name for people, without what may be secret."""
    assert Place(target).name == name


def test_a_url_keeps_its_path_only():
    """User, password, query and fragment are not shown; an @ in the path is no user."""
    assert public_url("s3://bucket/a@b/c") == "s3://bucket/a@b/c"


def test_pickling():
    """A place by name goes to another process; what is open here, or waits for an event here, does not."""
    place = pickle.loads(pickle.dumps(Place("a", offset=3, length="1 KiB")))
    assert (place.target, place.offset, place.length) == ("a", 3, 1024)
    for other in (Place(io.BytesIO()), Place(3), Place("-"), Place("a", follow=True, stop=threading.Event())):
        with pytest.raises(errors.UsageError, match="another process"):
            pickle.dumps(other)


def test_ranges_cover_once(write):
    """Ranges are adjacent, cover the wanted part, and remember the size of the whole."""
    place = Place(write(b"x" * 1000), offset=10, length=900)
    parts = place.ranges(7)
    assert parts[0].offset == 10
    assert all(a.offset + a.length == b.offset for a, b in pairwise(parts))
    assert parts[-1].offset + parts[-1].length == 910
    assert {part.size_expected for part in parts} == {1000}
    assert len(Place(write(b"abc")).ranges(100)) == 3


def test_what_has_no_ranges(write):
    """Compressed files, URLs, pipes and folders have none, and missing files are said to be missing."""
    import gzip

    for target in (write(gzip.compress(b"x")), "https://host/a", "-", 0, "/"):
        with pytest.raises(errors.UsageError):
            Place(target).ranges(2)
    with pytest.raises(errors.BrokenError, match="does not exist"):
        Place("nowhere").ranges(2)
    with pytest.raises(errors.UsageError, match="parts"):
        Place(write(b"x")).ranges(0)


def test_unknown_options_are_named():
    """A misspelled argument is told with those that there are."""
    with pytest.raises(errors.UsageError, match=r"ofset= is not known.*offset"):
        known_options({"ofset": 1})


def test_options_of_libraries_go_with_urls():
    """Given for a local file, they are a mistake."""
    with pytest.raises(errors.UsageError, match="URL"):
        Place("a", storage_options={"anon": True})


def test_names_on_one_line():
    """A name with an end of line, or with bytes that are no text, is shown with escapes."""
    assert Place("rows\n2.csv").name == "rows\\n2.csv"
    assert Place(b"rows\xff.csv").name == "rows\\udcff.csv"
    assert Place("r\u00e9sum\u00e9 \U0001f389.csv").name == "r\u00e9sum\u00e9 \U0001f389.csv"


def test_files_of_this_machine_as_urls():
    """file:// names one, with or without localhost."""
    for host in ("", "localhost"):
        assert Place(f"file://{host}/a/b%20c").target == "/a/b c"


def test_options_of_a_library():
    """They are a dict."""
    with pytest.raises(errors.UsageError, match="storage_options"):
        Place("s3://a/b", storage_options="key")


def test_an_expansion_has_a_bound():
    """Nothing means unbounded."""
    with pytest.raises(errors.UsageError, match="is no ratio"):
        Place("a", expansion_max=float("inf"))
