"""Pages of listings as S3 writes them; requests are in test_objects.py."""

from __future__ import annotations

import pytest

from flatwater.sync.entry import UNKNOWN, Entry
from flatwater.sync.failures import Failure, TemporaryFailure
from flatwater.sync.remotes.s3_pages import code_of, page_of

ROW = "<Contents><Key>{}</Key><LastModified>2026-01-02T03:04:05.678Z</LastModified><ETag>&quot;e&quot;</ETag><Size>7</Size></Contents>"


def page(rows, space=' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"', more=""):
    return page_of(f"<ListBucketResult{space}>{more}{rows}</ListBucketResult>".encode(), "s3://bucket")


@pytest.mark.parametrize("space", ["", ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'])
def test_what_a_page_tells(space):
    """With a namespace or without; whole seconds."""
    found = page(ROW.format("a+b%0A"), space)
    assert found.entries == [Entry(b"a+b%0A", 7, 1_767_323_045_000_000_000, b"e")]
    assert type(found.entries[0]) is Entry
    assert found.paths == [b"a+b%0A"]
    assert not found.is_truncated
    quoted = page(ROW.format("a+b%0A%2B%C3%BC"), space, "<EncodingType>url</EncodingType>")
    assert quoted.paths == ["a b\n+ü".encode()]


def test_pages_that_cannot_be_believed():
    """Are no listings: cut off, without sizes, with keys that are no UTF-8."""
    with pytest.raises(TemporaryFailure):
        page_of(b"<ListBucketResult><Contents>", "s3://bucket")
    with pytest.raises(TemporaryFailure):
        page_of(b"<html/>", "s3://bucket")
    with pytest.raises(Failure, match="lacks"):
        page("<Contents><Key>a</Key></Contents>")
    with pytest.raises(Failure, match="not UTF-8"):
        page(ROW.format("%FF"), more="<EncodingType>url</EncodingType>")


def test_keys_of_a_page_are_taken_together_and_apart():
    """A line feed in one of them, quoted or not, shifts none of the others."""
    quoted = "<EncodingType>url</EncodingType>"
    rows = "".join(map(ROW.format, ("a", "b%0Ac", "d%2fe%2Ff", "g+h")))
    assert page(rows, more=quoted).paths == [b"a", b"b\nc", b"d/e/f", b"g h"]
    assert page("".join(map(ROW.format, ("a", "b&#10;c", "d"))), more=quoted).paths == [b"a", b"b\nc", b"d"]
    assert page("".join(map(ROW.format, ("a&amp;b", "c\nd", "<!-- -->e")))).paths == [b"a&b", b"c\nd", b"e"]
    many = ["%C3%BC" * 500 + str(number) for number in range(20)]
    assert page("".join(map(ROW.format, many)), more=quoted).paths == [
        ("ü" * 500 + str(each)).encode() for each in range(20)
    ]
    with pytest.raises(Failure, match="the key b%FF is not"):
        page("".join(map(ROW.format, ("a", "b%FF", "c"))), more=quoted)
    with pytest.raises(Failure, match="a key is not"):
        page("".join(map(ROW.format, ("a%0A", "b%FF", "c"))), more=quoted)


@pytest.mark.parametrize(
    ("end", "more"),
    [("<IsTruncated>True</IsTruncated>", True), ("<IsTruncated> false\n</IsTruncated>", False), ("", False),
     ("<NextContinuationToken>t</NextContinuationToken>", True),
     ("<IsTruncated>false</IsTruncated><NextContinuationToken>t</NextContinuationToken>", True)]
)  # fmt: skip
def test_whether_there_is_more(end, more):
    """As any server writes it; a token of the next page without it says the same."""
    assert page_of(f"<ListBucketResult>{end}</ListBucketResult>".encode(), "s3://bucket").is_truncated is more


def test_a_page_that_lost_keys_is_no_page():
    """It says how many it has, folders among them; a count that is less, or none, is nothing to go by."""
    for count in ("1", "2", "", "many"):
        assert len(page(ROW.format("a") + ROW.format("b"), more=f"<KeyCount>{count}</KeyCount>").paths) == 2
    with pytest.raises(TemporaryFailure, match="says it has 3 keys, and has 2"):
        page(ROW.format("a") + ROW.format("b"), more="<KeyCount>3</KeyCount>")
    below = "<CommonPrefixes><Prefix>b/</Prefix></CommonPrefixes><KeyCount>{}</KeyCount>"
    for count in (2, 3):
        body = f"<ListBucketResult>{ROW.format('a')}{below.format(count)}</ListBucketResult>".encode()
        if count == 2:
            assert page_of(body, "s3://bucket", has_prefixes=True).prefixes == [b"b/"]
        else:
            with pytest.raises(TemporaryFailure, match="says it has 3"):
                page_of(body, "s3://bucket", has_prefixes=True)


def test_what_does_not_say_whether_there_is_more():
    """Is no end of a listing: all behind it would count as deleted."""
    for word in ("yes", "", "1"):
        with pytest.raises(Failure, match="whether there is more"):
            page_of(f"<ListBucketResult><IsTruncated>{word}</IsTruncated></ListBucketResult>".encode(), "s3://bucket")


def test_a_prefix_is_left_out():
    """Of each key; what keys have up to a delimiter comes whole."""
    below = "<CommonPrefixes><Prefix>in/a%C3%BC/</Prefix></CommonPrefixes><EncodingType>url</EncodingType>"
    body = f"<ListBucketResult>{ROW.format('in/x')}{below}</ListBucketResult>".encode()
    found = page_of(body, "s3://bucket", 3, has_prefixes=True)
    assert found.paths == [b"x"]
    assert found.prefixes == ["in/aü/".encode()]


@pytest.mark.parametrize(
    ("told", "etags"),
    [("<ETag>&quot;e&quot;</ETag>", [b"e", b"e"]), ("<ETag>e</ETag>", [b"e", b"e"]), ("<ETag>W/&quot;e&quot;</ETag>", [b"e", b"e"]),
     ("<ETag></ETag>", [b"", b"e"]), ("", [b"", b"e"])]
)  # fmt: skip
def test_etags(told, etags):
    """With quotes or without; those of some keys alone are those keys' own."""
    usual = "<ETag>&quot;e&quot;</ETag>"
    last = ROW.format("b") if not all(etags) else ROW.format("b").replace(usual, told)
    assert [entry.etag for entry in page(ROW.format("a").replace(usual, told) + last).entries] == etags


@pytest.mark.parametrize(
    ("text", "second"),
    [("2026-01-02T03:04:05Z", 1_767_323_045), ("2026-01-02T03:04:05.999999Z", 1_767_323_045), ("2026-01-02T04:04:05+01:00", 1_767_323_045),
     ("1970-01-01T00:00:00.000Z", 0), ("yesterday, or the day before, Z", None)]
)  # fmt: skip
def test_times(text, second):
    """Whole seconds; what is no time is not known."""
    (entry,) = page(ROW.format("a").replace("2026-01-02T03:04:05.678Z", text)).entries
    assert entry.mtime_ns == (UNKNOWN if second is None else second * 1_000_000_000)


def test_hostile_pages(tmp_path):
    """No entity, no file of this machine, no document type; a size is a number."""
    (tmp_path / "file").write_text("hidden")
    entity = f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{tmp_path}/file">]>'
    for body in (
        f"{entity}<ListBucketResult>{ROW.format('&e;')}</ListBucketResult>",
        '<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><ListBucketResult>&b;</ListBucketResult>',
    ):
        with pytest.raises(TemporaryFailure):
            page_of(body.encode(), "s3://bucket")
    with pytest.raises(Failure, match="no number"):
        page(ROW.format("a").replace("7", "seven"))
    assert code_of(f"{entity}<Error><Code>&e;</Code></Error>".encode()) == ""
    assert code_of(b"<Error xmlns='x'><Code>SlowDown</Code></Error>") == "SlowDown"
    assert code_of(b"no XML") == ""
