"""Documents kept as a searchable corpus, in fixed memory and in step with their sources.

Covers:     the public names of this floor.
Not here:   reading documents (`source.documents`), flows (`pipeline`).
Holds:      nothing.
"""

from __future__ import annotations

from flatwater import lazy

TYPE_CHECKING = False  # typing itself takes as long to import as all else here
if TYPE_CHECKING:
    from flatwater.ingest.corpus import Corpus as Corpus
    from flatwater.ingest.embedders import embedder_of as embedder_of
    from flatwater.ingest.embedders.base import Embedder as Embedder
    from flatwater.ingest.embedders.base import EmbedderFailed as EmbedderFailed
    from flatwater.ingest.embedders.function import Function as Function
    from flatwater.ingest.embedders.hashing import Hashing as Hashing
    from flatwater.ingest.embedders.http import Http as Http
    from flatwater.ingest.embedders.minilm import MiniLM as MiniLM
    from flatwater.ingest.embedding import Embedding as Embedding
    from flatwater.ingest.plugged import SplitterLike as SplitterLike
    from flatwater.ingest.plugged import splitter_of as splitter_of
    from flatwater.ingest.report import Problem as Problem
    from flatwater.ingest.report import Report as Report
    from flatwater.ingest.searching import Result as Result
    from flatwater.ingest.splitting import Splitter as Splitter

_HOMES = {
    "Corpus": "flatwater.ingest.corpus",
    "Embedder": "flatwater.ingest.embedders.base",
    "EmbedderFailed": "flatwater.ingest.embedders.base",
    "Embedding": "flatwater.ingest.embedding",
    "Function": "flatwater.ingest.embedders.function",
    "Hashing": "flatwater.ingest.embedders.hashing",
    "Http": "flatwater.ingest.embedders.http",
    "MiniLM": "flatwater.ingest.embedders.minilm",
    "Problem": "flatwater.ingest.report",
    "Report": "flatwater.ingest.report",
    "Result": "flatwater.ingest.searching",
    "Splitter": "flatwater.ingest.splitting",
    "SplitterLike": "flatwater.ingest.plugged",
    "embedder_of": "flatwater.ingest.embedders",
    "splitter_of": "flatwater.ingest.plugged",
}
__all__ = [
    "Corpus",
    "Embedder",
    "EmbedderFailed",
    "Embedding",
    "Function",
    "Hashing",
    "Http",
    "MiniLM",
    "Problem",
    "Report",
    "Result",
    "Splitter",
    "SplitterLike",
    "embedder_of",
    "splitter_of",
]

__getattr__, __dir__ = lazy.names("flatwater.ingest", _HOMES)
