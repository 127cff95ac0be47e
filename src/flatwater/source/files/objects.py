"""The objects below a prefix of an object store, as URLs, with what tells their versions.

Covers:     S3, Google's and Azure's stores, a page at a time.
Not here:   reading them (`files.remote`), changing them and comparing listings (`sync`).
Holds:      one page of a listing: `limits.FILES_OBJECTS_AT_ONCE` names.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any

from flatwater import errors, limits
from flatwater.source.files import remote
from flatwater.source.files.place import public_url


def listed(url: str, options: Mapping[str, Any]) -> Iterator[tuple[str, bytes | None]]:
    """URLs of the object of that name, or of all below it if it ends with a slash or names none; and each one's version.

    Names that begin with a dot, and empty objects that stand for a folder, are left out.

    Raises:
        BrokenError: the store refuses, or cannot be reached; there is no such object.
        MissingExtra: obstore is not installed.
    """
    scheme, _, rest = url.partition("://")
    bucket, _, prefix = rest.partition("/")
    root = f"{scheme}://{bucket}/"
    store, _key = remote.object_store(f"{root}any", dict(options))
    import obstore

    try:
        if prefix and not prefix.endswith("/"):
            yield url, _version(obstore.head(store, prefix))
            return
        for page in obstore.list(store, prefix or None, chunk_size=limits.FILES_OBJECTS_AT_ONCE):
            for found in page:
                name = found["path"]
                if not name.endswith("/") and not any(part.startswith(".") for part in name[len(prefix) :].split("/")):
                    yield root + name, _version(found)
    except errors.FlatwaterError:
        raise
    except Exception as error:  # noqa: BLE001 - the library has no error of its own for all
        raise remote.failure(url, public_url(url), error, -1) from remote.harmless(url, error)


def _version(found: Mapping[str, Any]) -> bytes:
    """Of an object: what its store says of it."""
    said = (found.get("e_tag"), found.get("version"), found["size"], found["last_modified"].isoformat())
    return urllib.parse.quote("|".join(map(str, said))).encode()
