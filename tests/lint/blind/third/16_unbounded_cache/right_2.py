import functools
import re
from enum import Enum


class Severity(Enum):
    LOW = "low"
    HIGH = "high"


@functools.cache
def pattern_for(severity: Severity) -> re.Pattern:
    return re.compile(rf"\[{severity.value.upper()}\]")


@functools.lru_cache(maxsize=500)
def slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


@functools.cache
def default_stopwords() -> frozenset[str]:
    return frozenset({"the", "a", "an", "and"})
