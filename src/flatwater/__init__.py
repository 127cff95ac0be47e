"""Give a Python program a memory budget. It stays inside, and you can prove it.

Covers:     the public names, each imported when first used.
Not here:   anything else; reach a floor through its package (`flatwater.meter`, `flatwater.worker`, ...).
Holds:      nothing until a name is used: `import flatwater` costs a few milliseconds.
"""

from __future__ import annotations

from flatwater import lazy

TYPE_CHECKING = False  # typing itself takes as long to import as all else here
if TYPE_CHECKING:
    from flatwater import budget as budget
    from flatwater import build as build
    from flatwater import errors as errors
    from flatwater import ingest as ingest
    from flatwater import limits as limits
    from flatwater import live as live
    from flatwater import meter as meter
    from flatwater import pipeline as pipeline
    from flatwater import proof as proof
    from flatwater import sizing as sizing
    from flatwater import source as source
    from flatwater import store as store
    from flatwater import sync as sync
    from flatwater import tour as tour
    from flatwater import units as units
    from flatwater import worker as worker
    from flatwater.budget.budget import Budget as Budget
    from flatwater.budget.reservation import Reservation as Reservation
    from flatwater.build.batch import BatchBuilder as BatchBuilder
    from flatwater.build.building import builder as builder
    from flatwater.build.picking import pick as pick
    from flatwater.build.pools import clear_pools as clear_pools
    from flatwater.build.pools import pool_stats as pool_stats
    from flatwater.ingest.corpus import Corpus as Corpus
    from flatwater.live.client.asynchronous import AsyncClient as AsyncClient
    from flatwater.live.client.client import Client as Client
    from flatwater.live.database import Database as Database
    from flatwater.meter.measuring import measure as measure
    from flatwater.meter.probe import usage as usage
    from flatwater.meter.reading import Reading as Reading
    from flatwater.meter.retained import retention as retention
    from flatwater.meter.retained import trim as trim
    from flatwater.meter.sizes import size_of as size_of
    from flatwater.meter.snapshots import snapshot as snapshot
    from flatwater.meter.timeline import Timeline as Timeline
    from flatwater.pipeline.flow import Flow as Flow
    from flatwater.pipeline.nats_stream import NatsStream as NatsStream
    from flatwater.pipeline.redis_stream import RedisStream as RedisStream
    from flatwater.proof.comparing import compare as compare
    from flatwater.proof.comparison import Comparison as Comparison
    from flatwater.proof.leaks.hunt import find_leaks as find_leaks
    from flatwater.proof.leaks.report import LeakReport as LeakReport
    from flatwater.proof.proving import prove as prove
    from flatwater.proof.result import Proof as Proof
    from flatwater.source.documents.piece import Piece as Piece
    from flatwater.source.documents.reader import documents as documents
    from flatwater.source.files.chunks import FileChunks as FileChunks
    from flatwater.source.files.line_reader import lines as lines
    from flatwater.source.files.record_reader import records as records
    from flatwater.source.guard.guarding import page_guard as page_guard
    from flatwater.source.tables.table import Table as Table
    from flatwater.store.store import Store as Store
    from flatwater.sync.sync import Sync as Sync
    from flatwater.watch.script import watch as watch  # the package itself, which can be called
    from flatwater.watch.watcher import Watcher as Watcher

__version__ = "0.1.0"

_HOMES = {
    "AsyncClient": "flatwater.live.client.asynchronous",
    "BatchBuilder": "flatwater.build.batch",
    "Budget": "flatwater.budget.budget",
    "Client": "flatwater.live.client.client",
    "Comparison": "flatwater.proof.comparison",
    "Corpus": "flatwater.ingest.corpus",
    "Database": "flatwater.live.database",
    "FileChunks": "flatwater.source.files.chunks",
    "Flow": "flatwater.pipeline.flow",
    "LeakReport": "flatwater.proof.leaks.report",
    "NatsStream": "flatwater.pipeline.nats_stream",
    "Piece": "flatwater.source.documents.piece",
    "Proof": "flatwater.proof.result",
    "Reading": "flatwater.meter.reading",
    "RedisStream": "flatwater.pipeline.redis_stream",
    "Reservation": "flatwater.budget.reservation",
    "Store": "flatwater.store.store",
    "Sync": "flatwater.sync.sync",
    "Table": "flatwater.source.tables.table",
    "Timeline": "flatwater.meter.timeline",
    "Watcher": "flatwater.watch.watcher",
    "builder": "flatwater.build.building",
    "clear_pools": "flatwater.build.pools",
    "compare": "flatwater.proof.comparing",
    "documents": "flatwater.source.documents.reader",
    "find_leaks": "flatwater.proof.leaks.hunt",
    "lines": "flatwater.source.files.line_reader",
    "measure": "flatwater.meter.measuring",
    "page_guard": "flatwater.source.guard.guarding",
    "pick": "flatwater.build.picking",
    "pool_stats": "flatwater.build.pools",
    "prove": "flatwater.proof.proving",
    "records": "flatwater.source.files.record_reader",
    "retention": "flatwater.meter.retained",
    "size_of": "flatwater.meter.sizes",
    "snapshot": "flatwater.meter.snapshots",
    "trim": "flatwater.meter.retained",
    "usage": "flatwater.meter.probe",
}
_MODULES = (
    "budget", "build", "errors", "ingest", "limits", "live", "meter", "pipeline", "proof", "sizing", "source", "store", "sync", "tour", "units", "watch", "worker",
)  # fmt: skip

__all__ = ["__version__", *_HOMES, *_MODULES]  # noqa: PLE0604 - one table feeds lookup, dir() and *


def _missing(name: str, library: str) -> ImportError | None:
    from flatwater import errors

    return errors.MissingExtra("live", library) if name == "Database" else None


__getattr__, _listed = lazy.names("flatwater", _HOMES, _MODULES, _missing)


def __dir__() -> list[str]:
    return sorted([*_listed(), "__version__"])
