"""Documents kept as a searchable corpus, in fixed memory and in step with their sources.

Covers:     the public names of this floor.
Not here:   reading documents (`source.documents`), flows (`pipeline`).
Holds:      nothing.
"""

from __future__ import annotations
