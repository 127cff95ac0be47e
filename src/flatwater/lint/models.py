"""Which classes stand for tables of a database, in the libraries that have such classes.

Covers:     models of Django and their managers, models of peewee; by their bases, or by where they are imported from.
Not here:   what is asked of them (`lint.values`), names of tables (`lint.lengths`).
Holds:      an answer for each class of one file.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import final

from flatwater.lint import known
from flatwater.lint.finding import Confidence
from flatwater.lint.module import Module

DJANGO = ("django.db.models.Model", "django.contrib.auth.models.", "django.contrib.gis.db.models.Model")
PEEWEE = ("peewee.", "playhouse.")


@final
class Models:
    """The models of one file.

    Args:
        module: the file.
        origin: gives the dotted name of what is imported.
    """

    def __init__(self, module: Module, origin: Callable[[ast.expr | None], str]) -> None:
        self._module = module
        self._origin = origin
        self._known: dict[tuple[ast.AST, tuple[str, ...]], bool] = {}

    def of_django(self, node: ast.expr) -> tuple[str, Confidence] | None:
        """The name of a class of Django's that stands for a table, and how sure that is."""
        if not isinstance(node, ast.Name):
            if isinstance(node, ast.Attribute) and (name := self._origin(node)) and ".models." in f".{name}":
                return node.attr, Confidence.SURE
            return None
        for each in self._module.scope_of(node).lookup(node.id):
            if each.how == "import" and ("models" in each.origin.split(".") or "django" in self._module.imports):
                return node.id, Confidence.SURE if "models" in each.origin.split(".") else Confidence.LIKELY
            if each.how == "class" and isinstance(each.node, ast.ClassDef) and self._derives(each.node, DJANGO):
                return node.id, Confidence.SURE
        return None

    def is_reverse_manager(self, node: ast.Attribute) -> bool:
        """Whether it is Django's manager of the rows that point at one: `order.line_set`, with a question of one behind it."""
        above = self._module.above.get(node)
        return (
            node.attr.endswith("_set")
            and "django" in self._module.imports
            and isinstance(above, ast.Attribute)
            and above.value is node
            and ("django.manager", above.attr) in known.METHODS
        )

    def is_of_peewee(self, node: ast.expr) -> bool:
        """Whether it is a model of peewee: a class of this file, or one that is imported from where models are."""
        if not isinstance(node, ast.Name) or not self._module.imports & {"peewee", "playhouse"}:
            return False
        return any(
            "models" in each.origin.split(".")
            if each.how == "import"
            else isinstance(each.node, ast.ClassDef) and self._derives(each.node, PEEWEE)
            for each in self._module.scope_of(node).lookup(node.id)
        )

    def is_table(self, node: ast.ClassDef) -> bool:
        """Whether a class of this file stands for a table: its objects are rows."""
        return self._derives(node, DJANGO) or self._derives(node, PEEWEE)

    def _derives(self, node: ast.ClassDef, bases: tuple[str, ...]) -> bool:
        """Whether a class of this file is made of one of these, also by way of others of it."""
        key = (node, bases)
        if key not in self._known:
            self._known[key] = False  # while it is looked for: classes may be made of each other
            for base in node.bases:
                if self._origin(base).startswith(bases):
                    self._known[key] = True
                elif isinstance(base, ast.Name):
                    for each in self._module.scope_of(base).lookup(base.id):
                        if (
                            isinstance(each.node, ast.ClassDef)
                            and each.node is not node
                            and self._derives(each.node, bases)
                        ):
                            self._known[key] = True
        return self._known[key]
