"""FW202: a stream is made into a list, a tuple, a set or a sorted list.

Covers:     `list(os.walk(…))`, `scandir`, `glob`, `scan_iter`, records, batches and files; comprehensions that keep each element.
Not here:   querysets (`fw101`), sums of comprehensions (`fw205`).
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint import known, lengths, uses
from flatwater.lint.finding import Confidence
from flatwater.lint.fixed import is_fixed
from flatwater.lint.nodes import own_nodes
from flatwater.lint.rounds import of_while
from flatwater.lint.rule import Found, Look, Rule
from flatwater.lint.values import Value

LONG = frozenset({"fs.tree", "redis.scan", "records", "batches", "frames", "sa.streamed", "db.server_cursor"})
SHORTER = frozenset({"fs.entries", "file", "db.cursor", "tar"})
ARRAYS = ("numpy.", "pandas.", "polars.", "torch.", "tensorflow.", "pyarrow.", "jax.", "cupy.")
REMOVING = frozenset({"unlink", "remove", "rmtree", "rmdir", "rename", "replace", "move", "delete"})
KEEPERS = frozenset({"list", "tuple", "set", "sorted", "frozenset"})


def _check(look: Look) -> Iterator[Found]:
    for call in look.module.of(ast.Call):
        name = look.origin(call.func)
        if name in KEEPERS and len(call.args) == 1:
            value = _unchained(look, call.args[0])
            if value is not None and (confidence := _confidence(look, value)) is not None:
                is_csv = value.call is not None and look.origin(value.call.func).startswith("csv.")
                is_of_names = value.kind in {"fs.tree", "fs.entries"}
                if (
                    (is_csv or is_of_names)
                    and (not _is_only_looped(look, call) or (name == "sorted" and _is_of_kind(look, value)))
                ) or _is_of_an_array(look, call):
                    confidence = min(confidence, Confidence.MAYBE)  # names, to be put in order or told
                yield Found(
                    call, f"`{name}(…)` holds everything that the stream gives; go over the stream itself.", confidence
                )
        elif (
            name == "glob.glob"
            and call.args
            and not is_fixed(look, call.args[0])
            and any(uses.is_iterated(look.module, each) for each in uses.places(look.module, call))
        ):
            yield Found(
                call,
                "`glob.glob` holds all names; go over `glob.iglob`, or `os.scandir`.",
                Confidence.MAYBE,  # of one folder, or of one kind: some hundreds of names, more often than not
            )
    for call, _func in look.method_calls("keys"):
        value = look.value(call)
        if value is not None and value.kind == "names.all":
            yield Found(
                call,
                "`keys()` of Redis holds all names, here and in the server; go over `scan_iter()`.",
                value.confidence if not call.args or _is_written(look, call.args[0]) else Confidence.MAYBE,
            )
    comprehensions: list[ast.ListComp | ast.SetComp | ast.DictComp] = [
        *look.module.of(ast.ListComp),
        *look.module.of(ast.SetComp),
        *look.module.of(ast.DictComp),
    ]
    for comprehension in comprehensions:
        first = comprehension.generators[0]
        value = _unchained(look, first.iter)
        if value is None or (confidence := _confidence(look, value)) is None or _is_reduced(look, comprehension):
            continue
        if (
            _is_of_an_array(look, comprehension)
            or any(each.ifs for each in comprehension.generators)
            or value.kind
            in {
                "file",
                "fs.tree",
                "fs.entries",
                "sa.streamed",
            }
        ):
            confidence = min(confidence, Confidence.MAYBE)
        yield Found(
            comprehension,
            "a comprehension over a stream holds something of each element; go over the stream, or hand it on as a generator.",
            confidence,
        )


def _unchained(look: Look, node: ast.expr) -> Value | None:
    """What it is; of `chain.from_iterable(batches)` and of a generator of this file, what they go over."""
    if (
        isinstance(node, ast.Call)
        and look.origin(node.func) in {"itertools.chain.from_iterable", "itertools.chain"}
        and node.args
    ):
        node = node.args[0].value if isinstance(node.args[0], ast.Starred) else node.args[0]
    value = look.value(node)
    if value is not None and value.kind in known.OPEN_ENDED and isinstance(node, ast.Call):
        function = look.values.function(node.func)
        inner = (look.values.gone_over(function) or _drawn_by(look, function)) if function is not None else None
        if inner is not None and inner.kind in LONG | SHORTER:
            return inner.less(Confidence.LIKELY)
    return value


def _drawn_by(look: Look, function: ast.AST) -> Value | None:
    """What a generator of this file draws, page by page, in a `while`."""
    for each in own_nodes(function):
        if isinstance(each, ast.Yield):
            for loop in look.module.loops_of(each):
                if isinstance(loop, ast.While) and (found := of_while(look, loop)) is not None:
                    return found.over
    return None


def _is_of_kind(look: Look, value: Value) -> bool:
    """Whether it is a search for files of one kind: they are put in order, and few."""
    made = value.call
    return (
        value.kind in {"fs.tree", "fs.entries"}
        and made is not None
        and bool(made.args)
        and is_fixed(look, made.args[0])
    )


def _is_written(look: Look, pattern: ast.expr) -> bool:
    """Whether a pattern is one that the author wrote: what is put together may name one thing, of which there are a few."""
    return isinstance(look.values.resolved(pattern), ast.Constant)


def _is_of_an_array(look: Look, node: ast.expr) -> bool:
    """Whether an array or a frame is made of it, which is wanted as a whole."""
    above = look.module.above.get(node)
    return isinstance(above, ast.Call) and look.origin(above.func).startswith(ARRAYS)


def _is_emptied(loop: ast.For) -> bool:
    """Whether the loop removes what it goes over: a folder is not to be changed while it is read."""
    return any(
        isinstance(each, ast.Call)
        and (each.func.attr if isinstance(each.func, ast.Attribute) else getattr(each.func, "id", "")) in REMOVING
        for each in ast.walk(loop)
    )


def _is_only_looped(look: Look, call: ast.Call) -> bool:
    """Whether a loop goes over it, also by a name, or it is counted, and nothing else is done with it."""
    places = list(uses.places(look.module, call))
    used = places if len(places) == 1 else places[1:]
    loops = [above for each in used if isinstance(above := look.module.above.get(each), ast.For) and above.iter is each]
    others = [above for each in used if (above := look.module.above.get(each)) not in loops]
    return (
        bool(loops)
        and not any(map(_is_emptied, loops))
        and all(
            isinstance(each, ast.Call)
            and look.origin(each.func) == "len"
            and each.lineno > loops[0].lineno  # before, for a bar of progress, it has to be known
            for each in others
        )
    )


def _confidence(look: Look, value: Value) -> Confidence | None:
    made = value.call
    is_of_path = made is not None and isinstance(made.func, ast.Attribute) and made.func.attr in {"glob", "rglob"}
    if (
        made is not None
        and made.args
        and not is_of_path  # it is given a pattern
        and is_fixed(look, made.args[0])
        and value.kind not in {"redis.scan", "sa.streamed", "batches"}
    ):
        return None
    if (
        made is not None
        and isinstance(made.func, ast.Attribute)
        and value.kind in {"fs.tree", "fs.entries"}
        and is_fixed(look, made.func.value)
    ):
        return None
    if made is not None and "start-ns" in ast.unparse(made):
        return None  # names of a document's head
    if made is not None and made.args and look.origin(made.func).startswith("csv."):
        lines = look.value(made.args[0])
        if lines is not None and uses.is_of_memory(lines.call):
            return None
        if lines is None:
            return Confidence.MAYBE  # nobody knows of what
    if value.kind in LONG and not lengths.is_long(look, value):
        return Confidence.MAYBE
    if value.kind == "fs.tree" and not _is_walk(made):
        return Confidence.MAYBE if _is_searched_for(look, made) else min(value.confidence, Confidence.LIKELY)
    if value.kind in LONG:
        return value.confidence
    if value.kind in known.OPEN_ENDED:
        return Confidence.MAYBE
    if value.kind in SHORTER:
        return Confidence.LIKELY if _is_scandir(made) else Confidence.MAYBE
    return None


def _is_searched_for(look: Look, call: ast.Call | None) -> bool:
    """Whether a tree is searched for one name: the pattern has no star."""
    pattern = call.args[0] if call is not None and call.args else None
    said = look.values.resolved(pattern) if pattern is not None else None
    return said is not None and not any(
        isinstance(each, ast.Constant) and "*" in str(each.value) for each in ast.walk(said)
    )


def _is_walk(call: ast.Call | None) -> bool:
    return call is not None and isinstance(call.func, ast.Attribute) and call.func.attr == "walk"


def _is_scandir(call: ast.Call | None) -> bool:
    return call is not None and isinstance(call.func, ast.Attribute) and call.func.attr == "scandir"


def _is_reduced(look: Look, node: ast.expr) -> bool:
    above = look.module.above.get(node)
    return (
        isinstance(above, ast.Call)
        and node in above.args
        and look.origin(above.func) in {"sum", "max", "min", "any", "all", "len"}
    )


RULE = Rule("FW202", "stream-listed", "A stream is made into a list.", _check)
