"""What a project's pyproject.toml says to the linter.

Covers:     finding the file, `[tool.flatwater.lint]`, its keys and codes; what is wrong in it, and what was meant.
Not here:   what the settings do (`lint.settings`), options of the command (`cli.lint`).
Holds:      one parsed file, while it is read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from flatwater import errors, limits
from flatwater.lint.finding import Confidence
from flatwater.lint.settings import NOT_LOOKED_AT, Settings

FILE = "pyproject.toml"
TABLE = "[tool.flatwater.lint]"
TABLES = ("lint",)  # what can be in [tool.flatwater]
KEYS = ("select", "ignore", "exclude", "confidence", "per-file-ignores", "include-tests", "baseline")


def find(paths: Sequence[str]) -> Settings:
    """The settings for paths: of the nearest pyproject.toml with the table, at or above the folder that all paths are in.

    Without one, the project's folder is that of the nearest pyproject.toml or .git, else the working directory.

    Raises:
        UsageError: the table has something that is no setting.
    """
    folder = os.path.commonpath([os.path.abspath(each) for each in paths]) if paths else os.getcwd()
    if not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    root = ""
    while True:
        path = os.path.join(folder, FILE)
        if os.path.isfile(path):
            table = _table(path)
            if table is not None:
                return _settings(table, path)
            root = root or folder
        if os.path.exists(os.path.join(folder, ".git")):
            root = root or folder
            break
        above = os.path.dirname(folder)
        if above == folder:
            break
        folder = above
    return Settings(root=root or os.getcwd())


def read(path: str) -> Settings:
    """The settings of a named file.

    Raises:
        UsageError: it is not there, or has no table for the linter, or something in it is no setting.
    """
    if not os.path.isfile(path):
        raise errors.UsageError(f"{path!r} is no file.", hint=f"Name a {FILE}.")
    table = _table(path)
    if table is None:
        raise errors.UsageError(f"{path!r} has no {TABLE}.", hint="Add the table, or leave --config out.")
    return _settings(table, path)


def codes(found: Iterable[str], where: str) -> tuple[str, ...]:
    """Codes of rules, or how they begin.

    Raises:
        UsageError: no rule's code begins so; names `where` it stands.
    """
    from flatwater.lint.rules import RULES

    known = [NOT_LOOKED_AT, *(each.code for each in RULES)]
    names = {each.name: each.code for each in RULES}
    chosen = []
    for each in found:
        code = names.get(each.strip().lower(), each.strip().upper())
        if not code.startswith("FW") or not any(one.startswith(code) for one in known):
            near = _near(each.strip().lower(), list(names)) or _near(code, known)
            hint = f"Did you mean {near}?" if near else "`flatwater lint --explain all` lists the rules."
            raise errors.UsageError(f"{where}: no rule is called {each!r}.", hint=hint)
        chosen.append(code)
    return tuple(chosen)


def _table(path: str) -> dict[str, Any] | None:
    import tomllib

    try:
        with open(path, "rb") as file:
            data = file.read(limits.LINT_CONFIG_BYTES_MAX + 1)
        if len(data) > limits.LINT_CONFIG_BYTES_MAX:
            raise errors.UsageError(f"{path!r} has more than {limits.LINT_CONFIG_BYTES_MAX} bytes.")
        table: Any = tomllib.loads(data.decode())
    except OSError as error:
        raise errors.UsageError(f"{path!r} cannot be read: {(error.strerror or str(error)).lower()}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise errors.UsageError(f"{path!r} is no TOML that can be read: {error}.", hint="Mend it.") from None
    names: list[str] = []
    for name in ("tool", "flatwater", "lint"):
        names.append(name)
        table = table.get(name)
        if table is None:
            return None
        if not isinstance(table, dict):
            raise errors.UsageError(f"{path!r}: [{'.'.join(names)}] is no table.", hint=f"Write it as {TABLE}.")
        if name == "flatwater":
            _check_tables(table, path)
    found: dict[str, Any] = table
    return found


def _check_tables(table: dict[str, Any], path: str) -> None:
    """Raises UsageError where [tool.flatwater] has what nobody reads: a setting outside of the table, or a table that is none."""
    for key in table:
        if key not in TABLES:
            is_meant = _near(key.replace("_", "-"), KEYS) or _near(key, TABLES)
            raise errors.UsageError(
                f"{path}, [tool.flatwater]: {key!r} is nothing that is read.",
                hint=f"Did you mean {TABLE}?" if is_meant else f"Settings stand in {TABLE}.",
            )


def _settings(table: dict[str, Any], path: str) -> Settings:
    root = os.path.dirname(os.path.abspath(path))
    settings = Settings(root=root, source=path)
    for key, value in table.items():
        where = f"{path}, {TABLE}, {key}"
        if key not in _SETTERS:
            near = _near(key.replace("_", "-"), KEYS)
            hint = f"Did you mean {near!r}?" if near else f"The keys are {', '.join(KEYS)}."
            raise errors.UsageError(f"{path}, {TABLE}: {key!r} is no setting.", hint=hint)
        settings = _SETTERS[key](settings, value, where)
    return settings


def _select(settings: Settings, value: Any, where: str) -> Settings:
    chosen = codes(_texts(value, where), where)
    if not chosen:
        raise errors.UsageError(f"{where}: it names no rule.", hint='Name some, such as ["FW1"], or leave it out.')
    return replace(settings, select=chosen)


def _ignore(settings: Settings, value: Any, where: str) -> Settings:
    return replace(settings, ignore=codes(_texts(value, where), where))


def _exclude(settings: Settings, value: Any, where: str) -> Settings:
    return replace(settings, exclude=tuple(_texts(value, where, '["vendor", "*_pb2.py"]')))


def _confidence(settings: Settings, value: Any, where: str) -> Settings:
    if not isinstance(value, str) or value.upper() not in Confidence.__members__:
        raise errors.UsageError(f"{where}: {value!r} is no confidence.", hint='Say "sure", "likely" or "maybe".')
    return replace(settings, confidence=Confidence[value.upper()])


def _per_file(settings: Settings, value: Any, where: str) -> Settings:
    if not isinstance(value, dict):
        raise errors.UsageError(f"{where}: it is no table.", hint='Say "folder/*.py" = ["FW101"].')
    pairs = tuple((pattern, codes(_texts(each, where), where)) for pattern, each in value.items())
    return replace(settings, per_file_ignores=pairs)


def _include_tests(settings: Settings, value: Any, where: str) -> Settings:
    if not isinstance(value, bool):
        raise errors.UsageError(f"{where}: {value!r} is neither true nor false.")
    return replace(settings, include_tests=value)


def _baseline(settings: Settings, value: Any, where: str) -> Settings:
    if not isinstance(value, str) or not value:
        raise errors.UsageError(f"{where}: {value!r} is no file name.")
    return replace(settings, baseline=os.path.join(settings.root, value))


_SETTERS: dict[str, Callable[[Settings, Any, str], Settings]] = {
    "select": _select, "ignore": _ignore, "exclude": _exclude, "confidence": _confidence,
    "per-file-ignores": _per_file, "include-tests": _include_tests, "baseline": _baseline,
}  # fmt: skip


def _texts(value: Any, where: str, example: str = '["FW101", "FW3"]') -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        raise errors.UsageError(f"{where}: {value!r} is no list of texts.", hint=f"Say {example} or the like.")
    return value


def _near(word: str, known: Sequence[str]) -> str:
    import difflib

    return next(iter(difflib.get_close_matches(word, known, n=1)), "")
