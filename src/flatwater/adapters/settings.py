"""What is said about a service before it serves: paths, a token, a dict of settings; what cannot be is refused there.

Covers:     each argument by its kind, with what to write in its place; a framework's FLATWATER.
Not here:   what is done with them (`adapters.intake`), sizes (`errors.bytes_of`).
Holds:      nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from flatwater import errors, limits

SETTING = "FLATWATER"


def settings_of(found: object, allowed: Collection[str]) -> dict[str, object]:
    """A framework's setting FLATWATER, as arguments by name.

    Raises:
        UsageError: it is no dict, or has a name that is no argument.

    >>> settings_of({"budget": "512 MiB"}, ["budget", "token"])
    {'budget': '512 MiB'}
    """
    names = ", ".join(allowed)
    if not isinstance(found, Mapping):
        raise errors.UsageError(
            f"{SETTING} = {found!r}: it is a dict of {names}.", hint=f'Write {SETTING} = {{"budget": "512 MiB"}}.'
        )
    unknown = [repr(name) for name in found if name not in allowed]
    if unknown:
        raise errors.UsageError(
            f"{SETTING} has {', '.join(unknown)}, which is no setting.", hint=f"There are: {names}."
        )
    return dict(found)


def token_of(token: object) -> str:
    """A token as it can stand in a header, "" for None.

    Raises:
        UsageError: it is empty, or no request could carry it; the message does not repeat it.

    >>> token_of(None), token_of("s3cret")
    ('', 's3cret')
    """
    if token is None:
        return ""
    if not isinstance(token, str):
        raise errors.UsageError(
            f"the token is of type {type(token).__name__}.", hint="Pass a str, or None for no token."
        )
    if not token:
        raise errors.UsageError(
            "the token is empty, so that figures would be open to everybody.",
            hint="Pass None for no token; where it comes from the environment, set the variable.",
        )
    if not (token.isascii() and token.isprintable() and token == token.strip()):
        raise errors.UsageError(
            "the token has characters that `Authorization: Bearer …` cannot carry: others than visible ASCII, or white space at an end.",
            hint="Strip what was read from a file; make one with secrets.token_urlsafe().",
        )
    return token


def page_path_of(path: object, *, what: str) -> str:
    """The path of a page, "" for none.

    Raises:
        UsageError: it is no path; names `what` was being set.

    >>> page_path_of("/metrics", what="metrics"), page_path_of(None, what="metrics")
    ('/metrics', '')
    """
    return "" if path is None or path == "" else _path_of(path, what=what)


def paths_of(paths: object, *, what: str) -> tuple[str, ...]:
    """One path or several of them, no more than `limits.WEB_PATHS_MAX`.

    Raises:
        UsageError: one is no path; names `what` was being set.
        LimitReached: there are too many.

    >>> paths_of("/live", what="always"), paths_of(["/live", "/static/"], what="always")
    (('/live',), ('/live', '/static/'))
    """
    if isinstance(paths, str):
        paths = (paths,) if paths else ()
    if not isinstance(paths, Iterable):
        raise errors.UsageError(f"{what}={paths!r} is no list of paths.", hint=f'Write {what}=["/live"].')
    found = tuple(_path_of(path, what=what) for path in paths)
    if len(found) > limits.WEB_PATHS_MAX:
        raise errors.LimitReached(
            f"{len(found)} paths are in {what}.", what="WEB_PATHS_MAX", limit=limits.WEB_PATHS_MAX,
            hint="One that ends in '/' stands for all below it.",
        )  # fmt: skip
    return found


def _path_of(path: object, *, what: str) -> str:
    if not isinstance(path, str):
        raise errors.UsageError(
            f"{what}: {path!r} is no path.", hint='Write a str that begins with "/", such as "/live".'
        )
    if not path.startswith("/"):
        raise errors.UsageError(f"{what}: the path {path!r} does not begin with '/'.", hint=f"Write {'/' + path!r}.")
    bare, mark = min(path.partition("?"), path.partition("#"), key=lambda parts: len(parts[0]))[:2]
    if mark:
        raise errors.UsageError(
            f"{what}: {path!r} has a {mark!r}, which no path of a request has: what follows it is no part of the path.",
            hint=f"Write {bare!r}.",
        )
    return path
