"""What names say about how many values they can have.

Covers:     words of what there is more of with more data, beside words of what is as many as code writes down.
Not here:   which types values have (`lint.values`): a name alone is no reason for a finding.
Holds:      a set of words.
"""

from __future__ import annotations

import re

OF_DATA = frozenset(
    """
    account address args author content customer data date day dict doc docs document domain email event events filename filepath
    files hash host href id ids image input ip item items key keys line lines link message messages msg number order orders path
    paths phone phrase point prompt query question record records request results row rows s sentence sentences session sha sql
    statement string text time timestamp title token tokens topic uid uri url urls user username users uuid value values word words
    """.split()  # noqa: SIM905 - words are read as words
)
OF_CODE = frozenset(
    """
    attribute backend class cls extension field import kind module modules option package plugin setting template type types view
    """.split()  # noqa: SIM905 - words are read as words
)
OF_COUNTS = frozenset(
    """
    count counter counters counts distances freq freqs frequencies frequency hits ranks score scores weights
    """.split()  # noqa: SIM905 - words are read as words
)
PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")


def is_of_data(*names: str) -> bool:
    """Whether one of some names says that it is data, and none of them that it is part of a program.

    >>> is_of_data("user_id"), is_of_data("importPath"), is_of_data("language")
    (True, False, False)
    """
    words = {each.lower() for name in names for each in PARTS.findall(name)}
    return bool(words & OF_DATA) and not words & OF_CODE


def is_of_counts(name: str) -> bool:
    """Whether a name says that it has a figure for each thing that was seen.

    >>> is_of_counts("word_counts"), is_of_counts("headers")
    (True, False)
    """
    return bool({each.lower() for each in PARTS.findall(name)} & OF_COUNTS)
