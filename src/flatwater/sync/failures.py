"""What can go wrong with one file or one remote, by what is to be done about it.

Covers:     kinds of failures that remotes raise.
Not here:   trying again (`sync.retrying`), what becomes of the file (`sync.status`).
Holds:      nothing.

No message has a password, a key or a signed URL in it.
"""

from __future__ import annotations

from flatwater import errors


class Failure(errors.BrokenError):
    """Something did not work with a remote. This one itself: as it is, trying again would not help."""


class TemporaryFailure(Failure):
    """A connection, a time limit, a server that is busy (500, 503, SlowDown): worth another try."""


class GoneFailure(Failure):
    """The file is not there (any more)."""


class ChangedFailure(Failure):
    """The file became another one while it was read: it is read again."""


class RefusedFailure(Failure):
    """The remote does not let us, or cannot have such a path: the file's own matter."""


class InTheWayFailure(Failure):
    """A file stands where a folder has to be, or a folder where the file has to be."""


class RemoteFailure(Failure):
    """All files would fail in the same way: no room, a wrong password, no such bucket. The run ends."""
