"""From what a user wrote to a remote: a path, or a URL.

Covers:     which kind it is, options, pairs of remotes that cannot be one.
Not here:   the remotes (`sync.remotes`).
Holds:      nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from flatwater import errors

if TYPE_CHECKING:
    from flatwater.sync.remote import Remote

OBJECT_SCHEMES = ("s3", "gs", "az")
SCHEMES = (*OBJECT_SCHEMES, "ftp", "ftps", "sftp", "file")


def remote_of(place: str | os.PathLike[str] | Remote, options: Mapping[str, str] | None = None) -> Remote:
    """The remote at a place; nothing is opened by now.

    Args:
        place: a path, a URL, or a remote.
        options: of that kind of remote, such as `{"endpoint": "https://..."}`; see docs/sync.md.

    Raises:
        UsageError: there is no such kind, or the options are wrong.
    """
    from flatwater.sync.remote import Remote

    options = dict(options or {})
    if isinstance(place, Remote):
        if options:
            raise errors.UsageError("options go with a path or a URL.", hint="This remote has its own.")
        return place
    text = path_of(place, "a remote is a path or a URL")
    scheme = _scheme(text)
    if scheme in OBJECT_SCHEMES:
        from flatwater.sync.remotes.objects import ObjectStore

        return ObjectStore.from_url(text, options)
    if scheme in {"ftp", "ftps"}:
        from flatwater.sync.remotes.ftp import Ftp

        return Ftp.from_url(text, options)
    if scheme == "sftp":
        from flatwater.sync.remotes.sftp import Sftp

        return Sftp.from_url(text, options)
    if scheme not in {"", "file"}:
        raise errors.UsageError(
            f"{scheme}:// is no kind of remote.",
            hint=f"There are paths, and {', '.join(f'{each}://' for each in SCHEMES)}.",
        )
    from flatwater.sync.remotes.directory import Directory

    if options:
        raise errors.UsageError(f"a directory has no option {next(iter(options))!r}.")
    return Directory(text if scheme == "" else path_of(_path_of_url(text), "a remote is a path or a URL"))


def path_of(given: object, rule: str) -> str:
    """What a user gave as a place, as a text.

    Args:
        given: by the user.
        rule: what it has to be, in words.

    Raises:
        UsageError: it is not.
    """
    text = os.fspath(given) if isinstance(given, str | os.PathLike) else None
    if not isinstance(text, str):
        hint = "Write os.fsdecode(path)." if isinstance(given, bytes) else "Write it as a text."
        raise errors.UsageError(f"{rule}; {type(given).__name__} is none.", hint=hint)
    if not text:
        raise errors.UsageError(f"{rule}; this one is empty.")
    if "\x00" in text:
        raise errors.UsageError(f"{rule}; this one has a zero byte in it.")
    return text


def refuse_pair(source: Remote, destination: Remote, state: str) -> None:
    """Refuse what would copy something into itself.

    Raises:
        UsageError: one is in the other, or the state is in one of them.
    """
    if source.url == destination.url:
        raise errors.UsageError(f"{source.url} is source and destination.", hint="Give two places.")
    roots = [_root_of(each) for each in (source, destination)]
    if _is_in(*roots) or _is_in(*reversed(roots)):
        raise errors.UsageError(
            f"{source.url} and {destination.url} are one in the other.", hint="Give two places that are apart."
        )
    where = os.fsencode(os.path.realpath(state))
    for each, root in zip((source, destination), roots, strict=True):
        if _is_in(where, root):
            raise errors.UsageError(
                f"the state {state} is in {each.url}, and would be synced, too.", hint="Keep it elsewhere."
            )


def _root_of(remote: Remote) -> bytes:
    """Where it is, links resolved."""
    from flatwater.sync.remotes.directory import Directory

    if isinstance(remote, Directory):
        return os.path.realpath(remote.root)
    return remote.url.encode("utf-8", "surrogateescape")


def state_path(source: Remote, destination: Remote) -> str:
    """Where the state of a pair is kept unless told otherwise: in the user's folder for such things."""
    import hashlib

    home = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    name = hashlib.blake2b(f"{source.url}\n{destination.url}".encode("utf-8", "surrogateescape"), digest_size=8)
    return os.path.join(home, "flatwater", "sync", name.hexdigest())


def _is_in(path: bytes, root: bytes) -> bool:
    return path == root or path.startswith(root.rstrip(b"/") + b"/")


def _scheme(text: str) -> str:
    scheme, found, _rest = text.partition("://")
    return scheme.lower() if found and scheme.isalnum() and len(scheme) > 1 else ""


def _path_of_url(url: str) -> str:
    from urllib.parse import unquote

    rest = url.partition("://")[2]
    host, slash, path = rest.partition("/")
    if host not in {"", "localhost"} or not slash:
        raise errors.UsageError(f"{url} is no path of this machine.", hint="Write the path alone.")
    return unquote("/" + path)
