"""The programs that the lab measures: plain functions, a family a file, that know nothing of being measured.

Covers:     what each experiment runs, and where it may be looked at while it runs; `Count`, a figure of the program's own.
Not here:   what is measured and said about them (the experiments, in the files of the same names one folder up).
Holds:      nothing until one of them runs.

A program returns a whole number that all variants of its experiment must agree on. One that is a generator is looked at
each time it yields: the name of a moment, or that name and an object whose own size is asked for, or a `Count`. A file
of programs that use parts of the house lists in `IMPORTS` what these import on their first use: that is done, and the ambient
budget made, before the figures begin.
"""

from __future__ import annotations


class Count(int):
    """A number that the program itself counted, told with a moment.

    >>> Count(50) + 0
    50
    """

    __slots__ = ()
