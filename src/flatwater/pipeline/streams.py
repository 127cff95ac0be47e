"""Sources that have no end of their own, or give items only when there are some: queues, asynchronous iterables.

Covers:     nothing yet.
Not here:   what can be iterated over (`pipeline.sources`).
Holds:      one batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flatwater.pipeline.place import Batch
from flatwater.pipeline.weighing import Weigher


def is_stream(origin: object) -> bool:
    """Whether it is such a source."""
    return False


def batches_of(origin: Any, weigher: Weigher) -> Iterator[Batch] | None:
    """Its batches, as items come; None if it is no such source."""
    return None
