"""What names say about how many values they can have.

Covers:     words of what there is more of with more data, beside words of what is as many as code writes down.
Not here:   which types values have (`lint.values`): a name alone is no reason for a finding.
Holds:      a set of words.
"""

from __future__ import annotations

import re

OF_DATA = frozenset(
    [
        "account",
        "address",
        "args",
        "author",
        "content",
        "customer",
        "data",
        "date",
        "day",
        "dict",
        "doc",
        "docs",
        "document",
        "domain",
        "email",
        "event",
        "filename",
        "filepath",
        "hash",
        "host",
        "href",
        "id",
        "ids",
        "image",
        "input",
        "ip",
        "item",
        "items",
        "key",
        "keys",
        "line",
        "link",
        "message",
        "msg",
        "number",
        "order",
        "path",
        "phone",
        "phrase",
        "point",
        "prompt",
        "query",
        "question",
        "record",
        "request",
        "row",
        "s",
        "sentence",
        "sentences",
        "session",
        "sha",
        "sql",
        "statement",
        "string",
        "text",
        "time",
        "timestamp",
        "title",
        "token",
        "tokens",
        "topic",
        "uid",
        "uri",
        "url",
        "urls",
        "user",
        "username",
        "uuid",
        "value",
        "values",
        "word",
        "words",
    ]
)
OF_CODE = frozenset(
    [
        "import",
        "module",
        "modules",
        "package",
        "class",
        "cls",
        "type",
        "types",
        "kind",
        "plugin",
        "extension",
        "setting",
        "option",
        "field",
        "attribute",
        "backend",
        "view",
        "template",
    ]
)
PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")


def is_of_data(*names: str) -> bool:
    """Whether one of some names says that it is data, and none of them that it is part of a program.

    >>> is_of_data("user_id"), is_of_data("importPath"), is_of_data("language")
    (True, False, False)
    """
    words = {each.lower() for name in names for each in PARTS.findall(name)}
    return bool(words & OF_DATA) and not words & OF_CODE
