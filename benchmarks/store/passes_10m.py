"""The passes of a sync over the state of ten million files; see `benchmarks.store.passes`."""

from __future__ import annotations

from benchmarks.store.passes import new_case

case = new_case(10_000_000)
