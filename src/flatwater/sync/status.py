"""What is known of a file, and what follows when a listing shows it, or does not.

Covers:     the five states, and each change between them that a scan makes.
Not here:   where they rest (`sync.state`), how a listing and the states meet (`sync.joining`).
Holds:      nothing.

Copying makes SYNCED of NEW and ERROR, or ERROR where it fails; deleting at the destination ends DELETED_ON_SOURCE. The
drawing is in docs/sync.md.
"""

from __future__ import annotations

from enum import IntEnum
from typing import final


@final
class Status(IntEnum):
    """Of one file. The numbers are in states on disk."""

    NEW = 0  # it is to be copied
    SYNCED = 1  # the destination has the version that the state describes
    DELETED_ON_SOURCE = 2  # a complete listing did not have it: it is to be deleted at the destination
    TEMP_DELETED = 3  # the present listing did not have it so far; nothing follows from that before it is complete
    ERROR = 4  # copying it failed; it is tried again in each run


def seen(status: Status | None, *, is_same: bool) -> Status:
    """What becomes of a file that a listing shows.

    Args:
        status: before; None if the state does not have it.
        is_same: whether the state describes a copied version, and this is that version.
    """
    if status is Status.ERROR:
        return Status.ERROR  # never called synced before it was copied
    if is_same and status in {Status.SYNCED, Status.TEMP_DELETED}:
        return Status.SYNCED
    return Status.NEW


def missing(status: Status) -> Status:
    """What becomes of a file that a listing passes over."""
    return Status.DELETED_ON_SOURCE if status is Status.DELETED_ON_SOURCE else Status.TEMP_DELETED


def finalized(status: Status, *, has_copy: bool) -> Status | None:
    """What becomes of it when the listing is complete; None: nothing is known of it any more.

    Args:
        status: after the listing.
        has_copy: whether the destination may have a version of it that a sync put there.
    """
    if status is not Status.TEMP_DELETED:
        return status
    return Status.DELETED_ON_SOURCE if has_copy else None
