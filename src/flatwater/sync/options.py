"""How a sync is done: one place for all that may be chosen, from Python, flags or a TOML file.

Covers:     names, kinds and bounds of options; reading a file of them.
Not here:   what they do.
Holds:      nothing.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, final

from flatwater import errors, limits
from flatwater.sync.comparing import COMPARES, Compare
from flatwater.sync.transfer import VERIFIES, Verify

Durability = Literal["full", "normal", "off"]


@final
@dataclass(frozen=True)
class Options:
    """All that may be chosen. What is None is chosen by what fits.

    Attributes:
        workers: files that are copied or deleted at a time; None: 8, or as many as the budget has room for.
        bytes: of large files under way together, beside a chunk for each worker; None: 32 MiB, or what there is room for.
        list_workers: parts of a listing that are listed at a time; None: 4, or as many as the budget has room for.
        levels: levels of folders that divide a listing into such parts; 0 lists in one.
        requests_per_s: to each of the remotes; 0 is no limit.
        bandwidth: bytes a second of all files together; 0 is no limit.
        tries: of a file or a request, the first one included.
        compare: how versions of the source are told apart: auto, etag, mtime, size, checksum.
        verify: what is looked at when a file has arrived: size, etag, content.
        include: patterns of files that are taken; empty takes all.
        exclude: patterns of files that are left out.
        delete: whether files that are gone from the source are deleted at the destination.
        max_delete: files that one run may delete: a number, or a share such as "25%".
        check_destination: whether the destination is listed, too: what is missing or altered there is copied again, and what
            is there already is not copied.
        rescan: whether a run that went on with the listing of a killed one lists again at its end.
        durability: of the state, as `sync` of a store: full, normal, off.
        alert_rss: bytes; a run that took more memory is told of.
        alert_files_per_s: a scan that was slower is told of.
        alert_growth: a share such as "20%"; a state that grew by more is told of.
        source_options, destination_options: of the remotes, such as `{"endpoint": "https://..."}`; never shown, as secrets may be
            among them.
    """

    workers: int | None = None
    bytes: int | str | None = None
    list_workers: int | None = None
    levels: int = 1
    requests_per_s: float = 0
    bandwidth: int | str = 0
    tries: int = limits.SYNC_TRIES
    compare: Compare = "auto"
    verify: Verify = "etag"
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    delete: bool = True
    max_delete: int | str | None = None
    check_destination: bool = False
    rescan: bool = True
    durability: Durability = "full"
    alert_rss: int | str | None = None
    alert_files_per_s: float | None = None
    alert_growth: float | str | None = None
    source_options: Mapping[str, str] = field(default_factory=dict, repr=False)
    destination_options: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Refuse what is no choice.

        Raises:
            UsageError: an option is wrong; its name is said.
        """
        if self.workers is not None:
            errors.count_of(self.workers, what="workers", most=limits.SYNC_WORKERS_MAX)
        if self.list_workers is not None:
            errors.count_of(self.list_workers, what="list_workers", most=limits.SYNC_WORKERS_MAX)
        errors.count_of(self.tries, what="tries", most=limits.SYNC_TRIES_MAX)
        if self.levels != 0:
            errors.count_of(self.levels, what="levels", most=limits.SYNC_LEVELS_MAX)
        for name, choices in (
            ("compare", COMPARES), ("verify", VERIFIES), ("durability", ("full", "normal", "off")),
            ("delete", (True, False)), ("check_destination", (True, False)), ("rescan", (True, False)),
        ):  # fmt: skip
            if getattr(self, name) not in choices:
                raise errors.UsageError(
                    f"{name}={getattr(self, name)!r} is not known.", hint=f"Take one of {', '.join(map(str, choices))}."
                )
        for name in ("bytes", "bandwidth", "alert_rss"):
            value = getattr(self, name)
            if value is not None and (value != 0 or name == "bytes" or isinstance(value, bool)):
                object.__setattr__(self, name, errors.bytes_of(value, what=name, least=1))
        for name in ("requests_per_s", "alert_files_per_s"):
            _refuse_rate(getattr(self, name), name)
        object.__setattr__(self, "alert_growth", share_of(self.alert_growth, "alert_growth"))
        for name in ("source_options", "destination_options"):
            object.__setattr__(self, name, _of_remote(getattr(self, name), name))


def _refuse_rate(value: object, what: str) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise errors.UsageError(f"{what}={value!r} is no number a second.", hint="Pass a number such as 50.")


def share_of(value: float | str | None, what: str) -> float | None:
    """A share such as "20%" or 0.2.

    Raises:
        UsageError: it is none.
    """
    if value is None:
        return None
    text = str(value).strip()
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if isinstance(value, bool) or not 0 <= share < float("inf") or (share > 1 and not text.endswith("%")):
        raise errors.UsageError(f"{what}={value!r} is no share.", hint="Pass one such as '20%'.")
    return share


def _of_remote(given: object, what: str) -> dict[str, str]:
    """Options of a remote as texts; what is true or a number in a TOML file becomes one."""
    given = {} if given is None else given
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise errors.UsageError(f"{what} are no names with values.", hint=f"Write {what}={{'timeout_s': '20'}}.")
    found: dict[str, str] = {}
    for name, value in given.items():
        if not isinstance(value, str | int | float):
            raise errors.UsageError(f"{what}: the value of {name!r} is no text.", hint="Put it in quotes.")
        found[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return found


def from_file(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What a TOML file says: `source`, `destination`, `state`, and any option by its name.

    Raises:
        UsageError: it is no such file, or says something unknown, or a place that is no text.
        BrokenError: it cannot be read.
    """
    import tomllib

    name = os.fspath(path)
    try:
        if os.path.getsize(name) > limits.SYNC_FILE_OF_OPTIONS_BYTES_MAX:
            raise errors.UsageError(f"{name} is too large for a file of options.")
        with open(name, "rb") as file:
            found = tomllib.load(file)
    except OSError as error:
        raise errors.BrokenError(f"{name} cannot be read: {(error.strerror or str(error)).lower()}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise errors.UsageError(f"{name} is no TOML: {error}.") from None
    known = {"source", "destination", "state", *(each.name for each in dataclasses.fields(Options))}
    for key in found:
        if key not in known:
            raise errors.UsageError(
                f"{name} has {key!r}, which is no option.", hint=f"There are {', '.join(sorted(known))}."
            )
    for key in ("source", "destination", "state"):
        if key in found and not isinstance(found[key], str):
            raise errors.UsageError(f"{name}: {key} is no text.", hint='Write a path or a URL in quotes: "...".')
        if found.get(key, "").startswith("~"):  # no shell has seen it
            found[key] = os.path.expanduser(found[key])
    return found
