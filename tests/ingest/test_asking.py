"""ingest.asking: what may be asked to be read."""

from __future__ import annotations

import pytest

from flatwater import errors
from flatwater.ingest.asking import Asked, sources_of
from flatwater.ingest.sources import Files, Remotes, Rows


def test_a_path_a_pattern_and_a_url_are_sources_of_their_kinds(tmp_path):
    """What has a scheme is remote, all other texts are paths; rows are what has neither."""
    (tmp_path / "a.md").write_text("text")
    asked = Asked(name="rows")
    found = sources_of([str(tmp_path), tmp_path / "*.md", "https://host/a.md", "s3://bucket/"], asked, "/corpus")
    assert [type(each) for each in found] == [Files, Files, Remotes, Remotes]
    assert [type(each) for each in sources_of(iter([]), asked, "/corpus")] == [Rows]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (None, "None is no source"),
        (b"docs", "no source"),
        ({"id": 1}, "no source"),
        ([], "there is no source"),
        (7, "int is no source"),
        ("", "no path"),
        ("a\0b", "no path"),
        ("ftp://host/a", r"ftp://.*flatwater sync"),
        ([(1, "text")], "need a name"),
    ],
)
def test_what_is_no_source_is_refused_by_name(source, message):
    """The error says what was given, and what may be."""
    with pytest.raises(errors.UsageError, match=message):
        sources_of(source, Asked(), "/corpus")


def test_a_single_path_that_is_not_there_is_an_error(tmp_path):
    """With where it was looked for."""
    with pytest.raises(errors.BrokenError, match="there is no file"):
        sources_of(tmp_path / "none", Asked(), "/corpus")


def test_a_corpus_is_no_source_of_itself(tmp_path):
    """Its directory and what is in it are refused, also through a link."""
    (tmp_path / "corpus").mkdir()
    (tmp_path / "link").symlink_to("corpus")
    for path in ("corpus", "corpus/manifest.sqlite", "link", "link/*.json"):
        (tmp_path / "corpus" / "manifest.sqlite").touch()
        with pytest.raises(errors.UsageError, match="in the corpus"):
            sources_of(str(tmp_path / path), Asked(), str(tmp_path / "corpus"))


def test_rows_are_dicts_pairs_or_objects():
    """Columns are named, or functions; metadata are columns, or the same for all."""

    class Row:
        key, body, tag = 3, "three", "t"

    def rows_of(source, **asked):
        (rows,) = sources_of(source, Asked(name="n", **asked), "/corpus")
        return list(rows._rows())

    assert rows_of([(1, "one")], metadata={"a": 1}) == [(1, "one", {"a": 1})]
    assert rows_of([{"id": 2, "text": "two", "tag": "t"}], metadata=["tag"]) == [(2, "two", {"tag": "t"})]
    assert rows_of([Row()], id="key", text=lambda row: row.body.upper()) == [(3, "THREE", {})]
    with pytest.raises(errors.UsageError, match="a row has 3 values"):
        rows_of([(1, 2, 3)])
    with pytest.raises(errors.UsageError, match="a row has no 'body'"):
        rows_of([{"id": 1}], text="body")
