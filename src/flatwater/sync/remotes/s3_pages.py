"""A page of a listing, as S3 writes it.

Covers:     the XML of an answer, quoted keys, sizes, times, etags, what keys have up to a delimiter, codes of errors.
Not here:   asking for it (`s3_keys`), the order of what is told (`objects`).
Holds:      the tree of a page until it is read: `limits.SYNC_S3_PAGE_BYTES`.

Columns are taken from the tree whole, by XPath, and made into entries without a line of Python for each key: about 4
microseconds of a processor for one, half of them libxml2's. No document type, entity or file elsewhere is taken from a server.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from flatwater import errors
from flatwater.sync.entry import UNKNOWN, Entry
from flatwater.sync.failures import Failure, TemporaryFailure
from flatwater.sync.remotes.object_answers import marks

_STEP_NS = 1_000_000_000  # listings and answers tell times in different steps: whole seconds both have
_SECONDS = len("2026-01-02T03:04:05")
_QUOTED_MAX = 10_000  # bytes of keys that are quoted and read in one go; about 2 MB while it is done
_SPACES_MAX = 8  # namespaces whose expressions are kept: S3's, none, and those of servers that have their own
_entry: Callable[[Any], Entry] = functools.partial(tuple.__new__, Entry)  # as Entry._make, without a call of Python's


class Page(NamedTuple):
    """What an answer tells.

    Attributes:
        paths: of the entries, once more.
        entries: below the prefix whose length was left out.
        prefixes: what keys have up to a delimiter, whole.
        token: of the next page; "" behind the last.
        is_truncated: whether there is more.
    """

    paths: list[bytes]
    entries: list[Entry]
    prefixes: list[bytes]
    token: str
    is_truncated: bool


class _Columns(NamedTuple):
    """Expressions for one namespace."""

    keys: Any
    sizes: Any
    times: Any
    etags: Any
    prefixes: Any


def page_of(body: bytes, name: str, prefix_bytes: int = 0, *, has_prefixes: bool = False) -> Page:
    """Read an answer.

    Args:
        body: of the answer.
        name: what messages call the bucket.
        prefix_bytes: that are left out at the front of each key.
        has_prefixes: whether a delimiter was asked for.

    Raises:
        TemporaryFailure: it was cut off, has fewer keys than it says, or is no listing.
        Failure: it lacks something, or has a key that is no UTF-8.
    """
    root = _tree(body)
    if root is None:
        raise TemporaryFailure(f"{name} cannot be listed: the answer was cut off, or is no XML.")
    space, mark, tag = root.tag.rpartition("}")
    space += mark
    if tag != "ListBucketResult":
        raise TemporaryFailure(f"{name} cannot be listed: the answer is no listing.")
    is_quoted = root.findtext(space + "EncodingType") == "url"
    columns = _columns(space[1:-1])
    paths = _keys(columns.keys(root), name, is_quoted=is_quoted)
    if prefix_bytes:
        paths = [path[prefix_bytes:] for path in paths]
    sizes, times, etags = columns.sizes(root), columns.times(root), columns.etags(root)
    if not len(paths) == len(sizes) == len(times):
        raise Failure(f"{name} cannot be listed: the answer lacks a size or a time of some keys.")
    try:
        counts = list(map(int, sizes))
    except ValueError:
        raise Failure(f"{name} cannot be listed: the answer has a size that is no number.") from None
    if len(etags) != len(paths):  # some have none: what element each of them is of has to be known
        etags = [each.findtext(space + "ETag") or "" for each in root.iterchildren(space + "Contents")]
    token = root.findtext(space + "NextContinuationToken") or ""
    prefixes = _keys(columns.prefixes(root), name, is_quoted=is_quoted) if has_prefixes else []
    _refuse_fewer(root.findtext(space + "KeyCount"), len(paths) + len(prefixes), name)
    return Page(
        paths,
        list(map(_entry, zip(paths, counts, _times(times), _etags(etags), strict=True))),
        prefixes,
        token,
        _is_truncated(root.findtext(space + "IsTruncated"), token, name),
    )


def _is_truncated(told: str | None, token: str, name: str) -> bool:
    """Whether there is more; what is not understood is no end, behind which all would count as deleted."""
    if told is None:
        return bool(token)
    word = told.strip().lower()
    if word not in {"true", "false"}:
        raise Failure(f"{name} cannot be listed: the server does not tell whether there is more.")
    return word == "true" or bool(token)  # a token of a next page beside "false" is followed: it may lead to keys


def _refuse_fewer(told: str | None, found: int, name: str) -> None:
    """A page with fewer keys than it says it has lost some, which would count as deleted."""
    count = (told or "").strip()
    if count.isdecimal() and int(count) > found:
        raise TemporaryFailure(f"{name} cannot be listed: the answer says it has {count} keys, and has {found}.")


def code_of(body: bytes) -> str:
    """The code of an answer that is an error; "" if it has none."""
    root = _tree(body)
    return "" if root is None else root.findtext("{*}Code") or ""


def _tree(body: bytes) -> Any:
    """The root of an answer; None if it is no XML, or more than XML without a document type."""
    try:
        from lxml import etree
    except ImportError:
        raise errors.MissingExtra("sync", "lxml") from None
    parser = etree.XMLParser(  # one for each: several threads would wait for one another's
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_blank_text=True,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError:
        return None
    return None if root.getroottree().docinfo.internalDTD is not None else root


@functools.lru_cache(_SPACES_MAX)
def _columns(space: str) -> _Columns:
    from lxml import etree

    mark, spaces = ("x:", {"x": space}) if space else ("", None)

    def column(path: str) -> Any:
        steps = "/".join(mark + step for step in path.split("/"))
        return etree.XPath(f"{steps}/text()", namespaces=spaces, smart_strings=False)

    return _Columns(
        column("Contents/Key"),
        column("Contents/Size"),
        column("Contents/LastModified"),
        column("Contents/ETag"),
        column("CommonPrefixes/Prefix"),
    )


def _keys(texts: list[str], name: str, *, is_quoted: bool) -> list[bytes]:
    """Keys as bytes: all of a page in one go, unless one has a line feed in it."""
    if not texts:
        return []
    joined = "\n".join(texts)
    if not is_quoted:
        found = joined.encode().split(b"\n")
        return found if len(found) == len(texts) else [text.encode() for text in texts]
    joined = joined.replace("+", " ").replace("%2F", "/")
    if joined.count("%") > _QUOTED_MAX:  # the library makes an object of each of them
        data = b"\n".join([unquote_to_bytes(text) for text in joined.split("\n")])
    else:
        data = unquote_to_bytes(joined)
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start)
        raise Failure(
            f"{name} cannot be listed: the key {joined.splitlines()[line]} is not UTF-8."
            if data.count(b"\n") == len(texts) - 1
            else f"{name} cannot be listed: a key is not UTF-8."
        ) from None
    found = data.split(b"\n")
    return found if len(found) == len(texts) else [unquote_to_bytes(text.replace("+", " ")) for text in texts]


def _etags(texts: list[str]) -> list[bytes]:
    """Etags without quotes: all of a page in one go, if they are of the usual kind."""
    joined = "\n".join(texts)
    if joined.count('"') not in {0, 2 * len(texts)} or "W/" in joined or joined.count("\n") != len(texts) - 1:
        return [marks(text) for text in texts]
    return joined.replace('"', "").encode().split(b"\n")


def _times(texts: list[str]) -> list[int]:
    """Times in nanoseconds: whole seconds, each of which is looked at once."""
    known = _Seconds()
    return [known[text[:_SECONDS]] if len(text) > _SECONDS and text[-1] == "Z" else _when(text) for text in texts]


class _Seconds(dict[str, int]):
    """Seconds that were read."""

    def __missing__(self, text: str) -> int:
        self[text] = found = _when(text + "Z")
        return found


def _when(text: str) -> int:
    """A time of a listing, in nanoseconds: whole seconds."""
    try:
        return int(datetime.fromisoformat(text).timestamp()) * _STEP_NS
    except ValueError:
        return UNKNOWN
