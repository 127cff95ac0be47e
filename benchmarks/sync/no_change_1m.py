"""As `no_change`, with a million files: ours, and the peer that is quickest then."""

from __future__ import annotations

from benchmarks.sync.no_change import new_case

case = new_case(1_000_000, everybody=False)
