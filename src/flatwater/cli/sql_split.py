"""Texts with several statements, cut where a `;` ends one: not in quotes, names, comments.

Covers:     a stream of pieces of text, cut as they come; whether a text that is being typed is whole.
Not here:   what a statement says (`live.statements`), reading files (`cli.sql`).
Holds:      a piece, and the statement that has not ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import TokenType

from flatwater import errors, limits
from flatwater.live.statements import Sql


def statements(pieces: Iterable[str]) -> Iterator[str]:
    r"""Each statement without its `;`, as soon as its end has come. What is only comments is none.

    Raises:
        UsageError: one is longer than a database takes.

    >>> list(statements(["SELECT 'a;", "b'; -- done;", "\nSELECT 2"]))
    ["SELECT 'a;b'", '-- done;\nSELECT 2']
    """
    rest = ""
    for piece in pieces:
        rest += piece
        if ";" in piece:
            start = 0
            for end in _ends(rest):
                if _says_something(text := rest[start:end]):
                    yield text.strip()
                start = end + 1
            rest = rest[start:]
        rest = rest.lstrip()
        if len(rest) > limits.LIVE_STATEMENT_BYTES_MAX:
            raise errors.UsageError(
                f"a statement of more than {limits.LIVE_STATEMENT_BYTES_MAX:,} characters begins with {rest[:60]!r}.",
                hint="End each with ';', and look for a quote that is not closed.",
            )
    if _says_something(rest):
        yield rest.strip()


def is_whole(text: str) -> bool:
    """Whether a text ends with a `;` that ends a statement; comments may follow."""
    tokens, failed = _tokens(text)
    return not failed and bool(tokens) and tokens[-1].token_type is TokenType.SEMICOLON


def _ends(text: str) -> list[int]:
    return [token.start for token in _tokens(text)[0] if token.token_type is TokenType.SEMICOLON]


def _says_something(text: str) -> bool:
    """One in which a quote is open counts: the database says what is wrong with it."""
    tokens, failed = _tokens(text)
    return failed or bool(tokens)


def _tokens(text: str) -> tuple[list[Any], bool]:
    """Those in front of a quote or a comment that does not end, and whether there is one."""
    tokenizer = Sql.Tokenizer(Sql())
    try:
        return tokenizer.tokenize(text), False
    except TokenError:
        return tokenizer.tokens, True
