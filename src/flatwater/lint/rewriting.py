"""Changes made in a text that keeps its comments and spaces.

Covers:     finding the expressions by their places, writing them anew, adding imports.
Not here:   which changes (`lint.fixes`), reading and checking (`lint.fixing`).
Holds:      the tree of one file, about 60 times its text.
"""

from __future__ import annotations

from typing import Any, ClassVar, final

import libcst
from libcst.metadata import PositionProvider

from flatwater.lint.fixes.change import Change, Span


@final
class Rewriter(libcst.CSTTransformer):
    """Writes the expressions at these places anew.

    Attributes:
        done: the changes that were made.
    """

    METADATA_DEPENDENCIES: ClassVar = (PositionProvider,)

    def __init__(self, changes: dict[Span, Change]) -> None:
        super().__init__()
        self._changes = changes
        self.done: list[Change] = []

    def on_leave(self, original_node: Any, updated_node: Any) -> Any:
        """Called for each node, the inner ones first."""
        if isinstance(original_node, libcst.BaseExpression):
            place = self.get_metadata(PositionProvider, original_node)
            change = self._changes.get(Span(place.start.line, place.start.column, place.end.line, place.end.column))
            if change is not None and change not in self.done:
                made = change.rewrite(updated_node)
                if made is not None:
                    self.done.append(change)
                    return made
        return super().on_leave(original_node, updated_node)

    def with_imports(self, module: libcst.Module) -> libcst.Module:
        """The module, with what the changes need imported at its top."""
        from libcst.codemod import CodemodContext
        from libcst.codemod.visitors import AddImportsVisitor

        needs = sorted({each.needs for each in self.done if each.needs})
        if not needs:
            return module
        context = CodemodContext()
        for each in needs:
            AddImportsVisitor.add_needed_import(context, each)
        return AddImportsVisitor(context).transform_module(module)
