"""Text from a stream of marked-up parts: blanks are folded, blocks become lines, paragraphs are set apart.

Covers:     what HTML and DOCX have in common when they become text.
Not here:   reading either (`markup`, `word`), cutting the text (`borders`).
Holds:      the text since it was taken last.
"""

from __future__ import annotations

from typing import final

NEXT_CELL, NEXT_LINE, NEXT_PARAGRAPH = "\t", "\n", "\n\n"


@final
class Layout:
    r"""Text that is being set. Not thread-safe.

    Attributes:
        begun: whether there was any text so far.
        length: characters since the last take.

    >>> layout = Layout()
    >>> layout.add(" Some  ")
    >>> layout.add(" text")
    >>> layout.gap(NEXT_PARAGRAPH)
    >>> layout.gap(NEXT_LINE)
    >>> layout.add("More")
    >>> layout.take()
    'Some text\n\nMore'
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._gap = ""  # to put in front of the next text, if there was text before
        self._is_blank = False  # a blank was seen since the last text
        self.begun = False
        self.length = 0

    def add(self, text: str, *, verbatim: bool = False) -> None:
        """More text of this line; its blanks are folded, unless it is verbatim."""
        ends_blank = False
        if not verbatim:
            begins_blank, ends_blank = text[:1].isspace(), text[-1:].isspace()
            text = " ".join(text.split())
            self._is_blank = self._is_blank or begins_blank
        if not text:
            return
        self._put(self._gap if self.begun else "")
        if self._is_blank and self.begun and not self._gap:
            self._put(" ")
        self._put(text)
        self._gap, self._is_blank, self.begun = "", ends_blank, True

    def gap(self, kind: str) -> None:
        """What comes next is another cell, line or paragraph; of several gaps the widest counts."""
        if _WIDTHS[kind] > _WIDTHS[self._gap]:
            self._gap = kind

    def replace_gap(self, kind: str) -> None:
        """As `gap`, whatever came before it."""
        self._gap = kind

    def take(self) -> str:
        """The text since the last time."""
        text = "".join(self._parts)
        self._parts.clear()
        self.length = 0
        return text

    def _put(self, text: str) -> None:
        if text:
            self._parts.append(text)
            self.length += len(text)


_WIDTHS = {"": 0, NEXT_CELL: 1, NEXT_LINE: 2, NEXT_PARAGRAPH: 3}
