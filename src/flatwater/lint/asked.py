"""What something must be by what is asked of it, where no import and no annotation says what it is.

Covers:     cursors by the SQL that is run on them, sessions of SQLAlchemy by `select(…)` and `query(Order)`, the query of a model.
Not here:   values with a type that is known (`lint.values`).
Holds:      the names that SQL is run on, by their functions, of one file.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import final

from flatwater.lint import known
from flatwater.lint.module import Module
from flatwater.lint.nodes import text

SQL_WORDS = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "CREATE", "PRAGMA", "REPLACE")


@final
class Asked:
    """What is asked of the names of one file.

    Args:
        module: the file.
        resolved: gives the expression that a name stands for.
    """

    def __init__(self, module: Module, resolved: Callable[[ast.expr | None], ast.expr | None]) -> None:
        self._module = module
        self._resolved = resolved
        self._executed: set[tuple[ast.AST | None, str]] | None = None

    def of_call(self, func: ast.Attribute, call: ast.Call, first: str) -> str:
        """The kind of a receiver, by this call of it: `anything.scalars(select(…))`, `anything.execute("SELECT …")`.

        Args:
            func: the method.
            call: its call.
            first: the kind of its first argument.
        """
        if func.attr == "get_object" and {"Bucket", "Key"} <= {each.arg for each in call.keywords}:
            return "boto"
        if not call.args:
            return ""
        if func.attr in known.TAKES_SELECT:
            if first.startswith("sa.select"):
                return "sa.session"
            return "db.cursor" if func.attr == "execute" and self._is_sql(call) else ""
        if func.attr == "query":
            model = call.args[0]
            if "sqlalchemy" not in self._module.imports and not self._is_of_models(model):
                return ""
            name = model.attr if isinstance(model, ast.Attribute) else model.id if isinstance(model, ast.Name) else ""
            return "sa.session" if name[:1].isupper() else ""
        return ""

    def _is_of_models(self, node: ast.expr) -> bool:
        """Whether a class is imported from a module of models: what is asked by `query` for one of these is a session."""
        return isinstance(node, ast.Name) and any(
            each.how == "import" and {"models", "model", "orm"} & set(each.origin.lower().split(".")[:-1])
            for each in self._module.scope_of(node).lookup(node.id)
        )

    def is_query_of_model(self, node: ast.Attribute) -> bool:
        """Whether it is `Order.query`, with a call behind it as queries have: Flask-SQLAlchemy gives one to each model."""
        above = self._module.above.get(node)
        return (
            node.attr == "query"
            and isinstance(node.value, ast.Name)
            and node.value.id[:1].isupper()
            and not node.value.id.isupper()
            and isinstance(above, ast.Attribute)
            and ("sa.query", above.attr) in known.METHODS
            and isinstance(self._module.above.get(above), ast.Call)
        )

    def of_attribute(self, node: ast.Attribute) -> str:
        """The kind of an attribute of what nobody knows: the query of a model, a cursor, `request.FILES`."""
        if self.is_query_of_model(node):
            return "sa.query"
        if (
            node.attr == "FILES"
            and isinstance(node.value, ast.Name | ast.Attribute)
            and "django" in self._module.imports
        ):
            return "uploads"
        return "db.cursor" if self.is_executed(node) else ""

    def is_executed(self, node: ast.Name | ast.Attribute) -> bool:
        """Whether SQL is run by this name in the same function: then it is a cursor or a connection, whatever it is called."""
        if self._executed is None:
            self._executed = set()
            for call in self._module.of(ast.Call):
                func = call.func
                if (
                    isinstance(func, ast.Attribute) and func.attr in {"execute", "executemany"}
                    and isinstance(func.value, ast.Name | ast.Attribute) and self._is_sql(call)
                ):  # fmt: skip
                    self._executed.add((self._module.function_of(call), ast.unparse(func.value)))
        return bool(self._executed) and (self._module.function_of(node), ast.unparse(node)) in self._executed

    def _is_sql(self, call: ast.Call) -> bool:
        """Whether its first argument is a statement, written there or bound to a name once."""
        said = text(self._resolved(call.args[0])) if call.args else None
        return (said or "").lstrip(" \n\t(").upper().startswith(SQL_WORDS)
