"""What a rule is: a code, a name, a sentence, and a function that looks at one file.

Covers:     the form of rules and of what they find; what a rule can ask of a file.
Not here:   the rules (`lint.rules`), leaving out what the user allows (`lint.suppressions`).
Holds:      nothing beside the file that is looked at.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, final

from flatwater.lint.finding import Confidence
from flatwater.lint.module import Module
from flatwater.lint.values import Value, Values


class Found(NamedTuple):
    """A place, and what is wrong with it: what is held, then what to do."""

    node: ast.AST
    message: str
    confidence: Confidence
    body: ast.AST | None = None  # whose allocations are the finding's, too: the function whose results are kept


@final
class Look:
    """One file, as rules see it."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.values = Values(module)

    def value(self, node: ast.expr | None) -> Value | None:
        """What an expression is, if there is a reason to believe it."""
        return self.values.of(node)

    def origin(self, node: ast.expr | None) -> str:
        """The dotted name of what is imported, or of a built-in."""
        return self.values.origin(node)

    def method_calls(self, *names: str) -> Iterator[tuple[ast.Call, ast.Attribute]]:
        """Calls of methods of these names."""
        for call in self.module.of(ast.Call):
            if isinstance(call.func, ast.Attribute) and call.func.attr in names:
                yield call, call.func


@final
@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the linter.

    Attributes:
        code: "FW" and three figures; the first is of its family.
        name: in words with hyphens, as its page is called.
        summary: what it finds, in one sentence.
        check: looks at a file.
        needs: words of which one is in the text of each file that it can find something in; all files are looked at where there are none.
    """

    code: str
    name: str
    summary: str
    check: Callable[[Look], Iterator[Found]]
    needs: tuple[str, ...] = ()
