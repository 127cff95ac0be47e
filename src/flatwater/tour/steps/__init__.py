"""The steps of the tour, in the order in which it goes.

Covers:     their names; each floor that is built adds its own.
Not here:   what a step is (`tour.step`), running them (`tour.guide`).
Holds:      nothing.
"""

from __future__ import annotations

STEPS = (
    "flatwater.tour.steps.find_each:FindEach",
    "flatwater.tour.steps.words:Words",
    "flatwater.tour.steps.read_documents:ReadDocuments",
    "flatwater.tour.steps.flow_documents:FlowDocuments",
    "flatwater.tour.steps.keep_rows:KeepRows",
    "flatwater.tour.steps.mirror_documents:MirrorDocuments",
    "flatwater.tour.steps.ingest_documents:IngestDocuments",
    "flatwater.tour.steps.live_rows:LiveRows",
    "flatwater.tour.steps.serve_rows:ServeRows",
)
