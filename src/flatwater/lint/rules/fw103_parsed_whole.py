"""FW103: a file of records is parsed whole, and then gone over record by record.

Covers:     `json.load`, `read_csv`, `read_parquet` and their siblings, of a path that the program is given, where a loop follows.
Not here:   frames that are computed with as wholes.
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint import lengths, uses, wording
from flatwater.lint.finding import Confidence
from flatwater.lint.fixed import is_fixed
from flatwater.lint.rule import Found, Look, Rule

ROWS = frozenset({"iterrows", "itertuples", "to_dict", "to_dicts", "iter_rows", "to_pylist", "rows"})
WHOLE = frozenset({"to_dict", "to_dicts", "to_pylist"})  # which give all rows at once, and may be what is wanted
IN_ONE_PIECE = (
    "read_excel",
    "read_pickle",
    "read_hdf",
    "read_feather",
    "read_html",
    "read_xml",
)  # which have no other way


def _check(look: Look) -> Iterator[Found]:
    for call in look.module.of(ast.Call):
        value = look.value(call)
        if value is None or value.call is not call or not call.args:
            continue
        origin = look.origin(call.func)
        if value.kind == "parsed" and origin in {"json.load", "json.loads"}:
            yield from _parsed(look, call, origin)
        elif value.kind == "frame" and origin and not _is_given(look, call.args[0]):
            for place in uses.places(look.module, call):
                above = look.module.above.get(place)
                if (
                    isinstance(above, ast.Attribute)
                    and above.attr in ROWS
                    and isinstance(made := look.module.above.get(above), ast.Call)
                    and (
                        above.attr not in WHOLE
                        or any(uses.is_iterated(look.module, each) for each in uses.places(look.module, made))
                    )
                ):
                    yield Found(
                        call,
                        f"`{origin.rpartition('.')[2]}` holds the whole table, which is then gone over row by row; {_cure(origin)}.",
                        value.confidence
                        if lengths.is_long_file(look, call.args[0])
                        and not origin.endswith(IN_ONE_PIECE)
                        and not _is_used_as_a_whole(look, call, place)
                        else Confidence.MAYBE,
                    )
                    break


def _is_used_as_a_whole(look: Look, call: ast.Call, looped: ast.AST) -> bool:
    """Whether more is done with a frame than to go over its rows: columns are set or computed, rows are counted before."""
    for place in uses.places(look.module, call):
        above = look.module.above.get(place)
        if place is looped or place is call or isinstance(above, ast.Assign | ast.AnnAssign | ast.withitem):
            continue
        if not (isinstance(above, ast.Attribute) and above.attr in ROWS | {"columns", "close"}):
            return True
    return False


def _is_given(look: Look, node: ast.expr) -> bool:
    """Whether it is a file that the author wrote down, or a text in memory."""
    if is_fixed(look, look.values.resolved(node)):
        return True
    made = look.values.resolved(node)
    return isinstance(made, ast.Call) and look.origin(made.func) in {"io.StringIO", "io.BytesIO"}


def _parsed(look: Look, call: ast.Call, origin: str) -> Iterator[Found]:
    source = look.value(call.args[0])
    if source is None or source.kind not in {"file", "http.reading", "whole"}:
        return
    is_doubtful = source.kind == "http.reading" or _is_an_answer(
        look, call.args[0]
    )  # a page of an answer, more often than not
    is_doubtful = is_doubtful or look.origin(_read(call.args[0])).startswith("sys.stdin")
    if source.call is not None:
        named = (
            source.call.func.value if source.kind == "whole" and isinstance(source.call.func, ast.Attribute) else None
        )
        opened = source.call.args[0] if source.call.args else named
        if is_fixed(look, opened) or (opened is not None and wording.is_of_settings(ast.unparse(opened))):
            return
        is_doubtful = is_doubtful or _is_named(look, opened) or not lengths.is_long_file(look, opened)
    name = uses.name_of(look.module, call)
    if name is not None and wording.is_of_settings(name.id):
        return
    places = list(uses.places(look.module, call))
    for place in places:
        confidence = _gone_over(look.module, place)
        if confidence is not None:
            if is_doubtful or len(places) > 2:  # noqa: PLR2004 - where it is bound, and one use
                confidence = Confidence.MAYBE  # more is done with it than to go over it
            yield Found(
                call,
                f"`{origin}` holds the whole document, which is then gone over; read it with `ijson`, or keep one record a line and use `fw.records`.",
                min(confidence, source.confidence),
            )
            return


def _read(node: ast.expr) -> ast.expr:
    """The stream that is parsed, also where it is `stream.read()`."""
    return node.func.value if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else node


def _is_an_answer(look: Look, node: ast.expr) -> bool:
    """Whether it is the text of an answer of HTTP."""
    if not isinstance(node, ast.Attribute) or node.attr not in {"text", "content"}:
        return False
    holder = look.value(node.value)
    return holder is not None and holder.kind.startswith(("http.", "aio."))


def _is_named(look: Look, opened: ast.expr | None) -> bool:
    """Whether the file's own name is written down, in a folder that is not: a file of one kind, for each project or user."""
    node = look.values.resolved(opened)
    for _ in range(3):
        if isinstance(node, ast.Call) and node.args:
            node = look.values.resolved(node.args[-1])
        elif isinstance(node, ast.BinOp):
            node = node.right
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value


def _gone_over(module: object, place: ast.AST) -> Confidence | None:
    from flatwater.lint.module import Module

    assert isinstance(module, Module)
    if uses.is_iterated(module, place):
        return Confidence.LIKELY
    above = module.above.get(place)
    if (
        isinstance(above, ast.Subscript)
        and above.value is place
        and any(uses.is_iterated(module, each) for each in uses.places(module, above))
    ):
        return Confidence.LIKELY
    if isinstance(above, ast.Attribute) and above.attr in {"items", "values"}:
        inner = module.above.get(above)
        if isinstance(inner, ast.Call) and uses.is_iterated(module, inner):
            return Confidence.MAYBE
    return None


def _cure(origin: str) -> str:
    if origin.startswith(("pandas.read_parquet", "pyarrow.parquet")) or origin == "polars.read_parquet":
        return "use `pyarrow.parquet.ParquetFile(…).iter_batches()`, or `fw.records`"
    if origin.startswith("pandas."):
        return "give it a `chunksize`, or use `fw.records`"
    return "use `fw.records`, or a lazy scan that is collected in batches"


RULE = Rule("FW103", "parsed-whole", "A file of records is parsed whole, and then gone over.", _check)
