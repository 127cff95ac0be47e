"""Which files are looked at, and their text.

Covers:     paths in order, folders that are left out, tests, links, encodings, files that are too large or no files.
Not here:   what is said of a text (`lint.linter`), the code in a notebook (`lint.notebooks`).
Holds:      the names of one folder's entries for each level, and one file's text.
"""

from __future__ import annotations

import codecs
import fnmatch
import io
import os
import re
import stat
import tokenize
from collections.abc import Iterator, Sequence
from typing import final

from flatwater import errors, limits
from flatwater.lint import globs

LEFT_OUT = (
    ".*", "__pycache__", "node_modules", "site-packages", "__pypackages__", "venv", "_build", "buck-out",
)  # fmt: skip
BUILT = frozenset({"build", "dist", "env"})  # left out, but for packages that are called so
ENDINGS = (".py", ".ipynb")
TESTS = re.compile(
    r"(?:^|/)(?:tests?/|tests?\.py$|test_[^/]*\.py$|[^/]*_tests?\.py$|[^/]*test_utils?\.py$|conftest\.py$)"
)


class Unreadable(errors.FlatwaterError):
    """A file whose text cannot be had."""


@final
class Walk:
    """The files below paths, each once, in order of their names. Links to folders are not followed.

    Args:
        paths: files, which are looked at whatever they are called, and folders.
        exclude: patterns of paths below `root`, or of single names, that are left out.
        root: the project's folder.
        tests: whether tests are looked at, too.

    Attributes:
        tests_left_out: how many.
        excluded: how many files and folders the patterns left out.
        why: of a folder that comes in place of its files, why these cannot be had; "" of a file.
    """

    def __init__(
        self, paths: Sequence[str], exclude: Sequence[str] = (), *, root: str = "", tests: bool = True
    ) -> None:
        self._root = os.path.abspath(root or ".")
        self._patterns = [globs.compiled(each, self._root) for each in exclude]
        self._tests = tests
        self._named: dict[str, str] = {}  # as it is called first, by its whole name
        for path in paths:
            _check(path)
            self._named.setdefault(os.path.abspath(path), os.path.normpath(path))
        self.tests_left_out = self.excluded = 0
        self.why = ""

    def __iter__(self) -> Iterator[str]:
        for absolute, path in self._named.items():
            if self._is_below_excluded(absolute):
                continue
            if os.path.isdir(path):
                yield from self._below(path, absolute, 0)
            elif self._is_no_test(self._relative(absolute)):
                yield path

    def _below(self, folder: str, absolute: str, depth: int) -> Iterator[str]:
        if depth > limits.LINT_DEPTH_MAX:
            yield from self._unread(folder, f"is more than {limits.LINT_DEPTH_MAX} folders deep, and is not looked at")
            return
        try:
            with os.scandir(folder) as entries:
                # flatwater: allow FW202 — the names of one folder at each level
                names = sorted((each.name, each.is_dir(follow_symlinks=False), _is_file(each)) for each in entries)
        except OSError as error:
            yield from self._unread(folder, f"cannot be read: {_why(error)}")
            return
        if depth and any(name == "pyvenv.cfg" for name, _folder, _file in names):
            return
        relative = self._relative(absolute)
        for name, is_folder, is_file in names:
            if not (is_folder or (is_file and name.endswith(ENDINGS))):
                continue
            path, whole = (
                os.path.join(folder, name) if folder != "." else name,
                f"{absolute.rstrip(os.sep)}{os.sep}{name}",
            )
            if whole in self._named:  # it comes in its own turn
                continue
            below = f"{relative}/{name}" if relative else name
            if is_folder:
                if not _is_left_out(name, path) and not self._is_excluded(below):
                    yield from self._below(path, whole, depth + 1)
            elif not self._is_excluded(below) and self._is_no_test(below):
                yield path

    def _unread(self, folder: str, why: str) -> Iterator[str]:
        self.why = why
        yield folder
        self.why = ""

    def _is_no_test(self, relative: str) -> bool:
        if not self._tests and TESTS.search(relative):
            self.tests_left_out += 1
            return False
        return True

    def _is_below_excluded(self, absolute: str) -> bool:
        """Whether what is named, or a folder that it is in, is left out, as on the way from the root."""
        return any(self._is_excluded(each) for each in globs.above(self._relative(absolute)))

    def _is_excluded(self, relative: str) -> bool:
        if relative and any(globs.fits(each, relative) for each in self._patterns):
            self.excluded += 1
            return True
        return False

    def wants(self, path: str) -> bool:
        """Whether a file that is not read from disk would be looked at; counts it where it would not."""
        absolute = os.path.abspath(path)
        return not self._is_below_excluded(absolute) and self._is_no_test(self._relative(absolute))

    def _relative(self, absolute: str) -> str:
        relative = os.path.relpath(absolute, self._root).replace(os.sep, "/")
        return "" if relative == "." else relative


def read(path: str) -> str:
    """The text, in the encoding that the file says. Raises Unreadable."""
    return decoded(read_bytes(path))


def read_bytes(path: str) -> bytes:
    """The bytes of a regular file. Raises Unreadable."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:
        raise Unreadable(f"cannot be read: {_why(error)}") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Unreadable("is no regular file, and is not looked at")
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(limits.LINT_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise Unreadable(f"cannot be read: {_why(error)}") from None
    finally:
        os.close(descriptor)
    if len(data) > limits.LINT_FILE_BYTES_MAX:
        raise Unreadable(f"has more than {limits.LINT_FILE_BYTES_MAX} bytes, and is not looked at")
    return data


def decoded(data: bytes) -> str:
    """The text, in the encoding that it says in its first lines. Raises Unreadable."""
    try:
        encoding, _lines = tokenize.detect_encoding(io.BytesIO(data).readline)
        return io.TextIOWrapper(io.BytesIO(data), encoding, newline=None).read()
    except SyntaxError as error:
        is_marked = data.startswith(codecs.BOM_UTF8) and "problem" in str(error)
        why = "it begins with the mark of UTF-8, and says another" if is_marked else str(error)
        raise Unreadable(f"is not text in its encoding: {why}") from None
    except (LookupError, UnicodeError) as error:
        raise Unreadable(f"is not text in its encoding: {error}") from None


def _check(path: str) -> None:
    try:
        os.stat(path)
    except (OSError, ValueError) as error:
        raise errors.UsageError(
            f"{path!r} cannot be looked at: {_why(error)}.", hint="Name a file or a folder."
        ) from None


def _why(error: OSError | ValueError) -> str:
    return (getattr(error, "strerror", "") or str(error)).lower()


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link that leads to itself
        return False


def _is_left_out(name: str, path: str) -> bool:
    if name in BUILT:
        return not os.path.exists(os.path.join(path, "__init__.py"))
    return any(fnmatch.fnmatchcase(name, each) for each in LEFT_OUT)
