"""Typed rows of JSON lines, a window at a time.

Covers:     validating in C, and finding the bad row where a window has one.
Not here:   other formats, batches (`files.record_reader`).
Holds:      the rows of one window.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from flatwater.source.files.bad_rows import BadRow
from flatwater.source.files.blocks import Block, Blocks
from flatwater.source.files.rows import Rejects
from flatwater.source.files.schemas import BAD_ROW_ERRORS, RowSchema


def json_rows(blocks: Blocks, schema: RowSchema, rejects: Rejects, *, strict: bool) -> Iterator[list[Any]]:
    """The rows of each window.

    A blank line is no row. A window in which a line is bad is gone through line by line, and only that one.
    """
    decoder = msgspec.json.Decoder(schema.schema, strict=strict)
    for block in blocks:
        data = block.data
        if blocks.encoding not in {"utf-8", "ascii"}:
            try:
                data = data.decode(str(blocks.encoding)).encode()
            except UnicodeDecodeError:
                yield from _one_by_one(block, decoder, rejects, blocks)
                continue
        try:
            rows = decoder.decode_lines(data)
        except BAD_ROW_ERRORS:
            rows = None
        # Two values on a line, or a value on two lines, are none of JSON lines: then the numbers differ.
        if rows is None or len(rows) != data.count(b"\n") + 1:
            yield from _one_by_one(block, decoder, rejects, blocks)
        else:
            yield rows
        del rows  # before the next window's are made: they take the same memory, which the processor still has at hand


def _one_by_one(
    block: Block, decoder: msgspec.json.Decoder[Any], rejects: Rejects, blocks: Blocks
) -> Iterator[list[Any]]:
    """The good rows of a window; the others are rejected.

    Raises:
        CorruptError: the first bad one, if that is the policy; the rows before it come first.
    """
    encoding = str(blocks.encoding)
    start = block.start
    good: list[Any] = []
    for number, line in enumerate(block.data.split(b"\n"), block.line):
        if line.strip():
            try:
                good.append(decoder.decode(line if encoding in {"utf-8", "ascii"} else line.decode(encoding)))
            except BAD_ROW_ERRORS as error:
                if not rejects.skips:
                    yield good
                reason = str(error) if blocks.transcoded is None else _reason(line, error, blocks)
                rejects.add(BadRow(rejects.file, number, blocks.told(start), reason))
        start += len(line) + 1
    yield good


def _reason(line: bytes, error: Exception, blocks: Blocks) -> str:
    """Why a line is bad that was turned into UTF-8: what is none there was no text before."""
    try:
        line.decode()
    except UnicodeDecodeError as found:
        return blocks.no_text(found, 0)
    return str(error)
