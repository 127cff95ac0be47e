"""The naive twin of `flow`: a list between every two stages.

Covers:     texts, their words, cleaned texts, typed rows, one transaction.
Not here:   the same in batches (`tour.steps.flow_documents`).
Holds:      all that each stage made.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import lmdb

from flatwater.tour.naive.documents import texts_of

if TYPE_CHECKING:
    from flatwater.tour.twin import Task


def run(task: Task) -> int:
    """Take as much text as the step did through four stages into a store; how many rows that was."""
    texts = list(texts_of(task))
    split = [text.split() for text in texts]
    cleaned = [" ".join(words) for words in split if words]
    rows = [{"number": number, "text": text} for number, text in enumerate(cleaned)]
    encoded = [(b"%08d" % number, json.dumps(row).encode()) for number, row in enumerate(rows)]
    with (
        lmdb.open(os.path.join(task.folder, "passages"), map_size=1 << 31, sync=False) as store,
        store.begin(write=True) as transaction,
    ):
        for key, value in encoded:
            transaction.put(key, value)
    return len(rows)
