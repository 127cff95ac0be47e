"""Bounds of what stands between a web framework and a budget, each with its cost.

Covers:     answers while a service takes nothing in, what each request may reserve.
Not here:   the served database, which has its own (`limits.serving`).
Holds:      numbers.
"""

from __future__ import annotations

WEB_RETRY_AFTER_S = 5  # seconds until a refused client asks again; the ladder's steps take less
WEB_RETRY_AFTER_S_MAX = 3_600  # what may be given for it: an hour
WEB_PATHS_MAX = 64  # paths that are answered in any case; a comparison each for each refused request
