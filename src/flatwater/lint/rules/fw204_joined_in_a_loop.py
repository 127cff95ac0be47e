"""FW204: a table, an array or a text is copied whole in each round of a loop, to add a part to it.

Covers:     `x = concat([x, part])` of pandas, numpy, pyarrow, torch and polars; `x += part` of text and bytes.
Not here:   lists (`fw201`).
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint import growing, known, lengths, statements, wording
from flatwater.lint.finding import Confidence
from flatwater.lint.fixed import is_fixed
from flatwater.lint.nodes import own_nodes
from flatwater.lint.rounds import ends_with_stream, is_last, of_while
from flatwater.lint.rule import Found, Look, Rule

JOINS = frozenset({
    "pandas.concat", "numpy.concatenate", "numpy.append", "numpy.vstack", "numpy.hstack", "numpy.row_stack", "numpy.column_stack", "numpy.r_",
    "pyarrow.concat_tables", "polars.concat", "torch.cat", "torch.concat", "torch.vstack", "torch.hstack", "jax.numpy.concatenate", "xarray.concat",
    "geopandas.pd.concat", "dask.dataframe.concat", "cudf.concat", "tensorflow.concat",
})  # fmt: skip

WHOLE = frozenset(
    {"batches", "records", "http.reading", "sa.streamed", "db.server_cursor"}
)  # of which a text holds too much


LOOKED_FOR = frozenset({"find", "index", "partition", "split", "splitlines", "endswith", "startswith"})


def _check(look: Look) -> Iterator[Found]:
    for node in look.module.of(ast.Assign):
        if len(node.targets) != 1 or not look.module.loops_of(node):
            continue
        target = node.targets[0]
        for call in [each for each in ast.walk(node.value) if isinstance(each, ast.Call)]:
            if (
                call.args
                and ((look.origin(call.func) in JOINS and _takes(call, target)) or _joins_itself(node, call, target))
                and not _is_cut(look, call)
                and not _loops_are_short(look, node)
                and _begins_empty(look, node, target)
            ):
                yield Found(
                    call,
                    f"the whole of `{ast.unparse(target)[:40]}` is copied for each part that is added; collect the parts and join them once, or write each one out.",
                    Confidence.LIKELY
                    if _grows(look, node) and not _is_of_columns(call) and not _is_needed(look, node, target)
                    else Confidence.MAYBE,
                )
        if (
            isinstance(node.value, ast.BinOp)
            and isinstance(node.value.op, ast.Add)
            and growing.is_same(_leftmost(node.value), target)
        ):
            yield from _text(look, node, target)
    for added in look.module.of(ast.AugAssign):
        if isinstance(added.op, ast.Add) and look.module.loops_of(added):
            yield from _text(look, added, added.target)
        elif isinstance(added.op, ast.Add) and _is_received(look, added):
            yield Found(
                added,
                f"`{ast.unparse(added.target)}` holds all that the peer sends; take out what is complete, and end who sends too much.",
                Confidence.LIKELY,
            )


def _joins_itself(node: ast.Assign, call: ast.Call, target: ast.expr) -> bool:
    """Whether a frame is bound anew to itself and a part: `frame = frame.append(part)`, which no list does."""
    func = call.func
    return (
        node.value is call
        and isinstance(func, ast.Attribute)
        and func.attr in {"append", "vstack"}
        and growing.is_same(func.value, target)
    )


def _is_received(look: Look, added: ast.AugAssign) -> bool:
    """Whether a protocol of asyncio adds what comes in to an attribute that no method ever makes shorter, or looks at the length of."""
    function, owner, target = look.module.function_of(added), look.module.class_of(added), added.target
    if (
        getattr(function, "name", "") not in {"data_received", "datagram_received"}
        or owner is None
        or not isinstance(target, ast.Attribute)
        or not any(look.origin(each).startswith("asyncio.") for each in owner.bases)
    ):
        return False
    others = (
        each
        for method in owner.body
        if getattr(method, "name", "") != "__init__"
        for each in own_nodes(method)
        if each is not added
    )
    return not growing.is_shrunk(others, target)


def _is_cut(look: Look, call: ast.Call) -> bool:
    """Whether a part of it is all that is kept: `concatenate([window, part])[-4096:]`."""
    above = look.module.above.get(call)
    return isinstance(above, ast.Subscript) and isinstance(above.slice, ast.Slice)


def _grows(look: Look, node: ast.Assign) -> bool:
    """Whether there are more rounds with more data: the loop is over what is called as data is."""
    for loop in look.module.loops_of(node):
        if isinstance(loop, ast.While):
            if of_while(look, loop) is not None or _is_endless(loop):
                return True
            continue
        if not isinstance(loop, ast.For | ast.AsyncFor):
            continue
        over = look.value(_unordered(look, loop.iter))
        if (over is not None and over.kind in known.STREAMS) or wording.is_of_parts_of_data(_called(loop.iter)):
            return True
    return False


def _unordered(look: Look, node: ast.expr) -> ast.expr:
    """What is put in order, or made a list: there is as much of it."""
    while isinstance(node, ast.Call) and look.origin(node.func) in {"sorted", "list", "tuple"} and node.args:
        node = node.args[0]
    return node


def _is_endless(loop: ast.While) -> bool:
    """Whether it goes on until somebody stops it: `while True` without an end, `while not stop.is_set()`."""
    is_asked = isinstance(loop.test, ast.UnaryOp) and "is_set" in ast.unparse(loop.test)
    is_true = isinstance(loop.test, ast.Constant) and bool(loop.test.value)
    ends = any(isinstance(each, ast.Break | ast.Return) for each in own_nodes(loop))
    return (is_asked or is_true) and not ends


def _called(iterable: ast.expr) -> str:
    """What a loop's iterable is called: `self.loader`, `read_batches(path)`; a range, and words in what is asked for, say nothing."""
    if isinstance(iterable, ast.Call):
        return _called(iterable.args[0]) if _is_through(iterable) else _called(iterable.func)
    if isinstance(iterable, ast.Subscript):
        return _called(iterable.value)
    if isinstance(iterable, ast.Attribute):
        return iterable.attr
    return iterable.id if isinstance(iterable, ast.Name) else ""


def _is_through(call: ast.Call) -> bool:
    """Whether what it gives is what it is given: `enumerate(batches)`, `tqdm(loader)`."""
    return (
        bool(call.args)
        and not (isinstance(call.func, ast.Name) and call.func.id == "range")
        and isinstance(call.func, ast.Name)
    )


def _is_needed(look: Look, node: ast.Assign, target: ast.expr) -> bool:
    """Whether each round works with all that there is so far: what is generated step by step."""
    return any(
        isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load) and growing.is_same(each, target)
        and not any(
            (isinstance(above, ast.Assign) and any(growing.is_same(one, target) for one in above.targets))
            or (isinstance(above, ast.If) and any(part is each for part in ast.walk(above.test)))
            for above in look.module.parents(each)
        )
        for loop in look.module.loops_of(node)
        for each in ast.walk(loop)
    )  # fmt: skip


def _takes(call: ast.Call, target: ast.expr) -> bool:
    """Whether what is bound anew is among what is joined."""
    first = call.args[0]
    parts = first.elts if isinstance(first, ast.List | ast.Tuple) else call.args if len(call.args) > 1 else []
    return any(growing.is_same(each, target) for each in parts)


def _is_measured(loop: ast.AST, target: ast.Name) -> bool:
    """Whether its length is looked at in the loop, or something is looked for in it: there is an end."""
    for each in ast.walk(loop):
        match each:
            case ast.Call(func=ast.Name(id="len"), args=args) if any(growing.is_same(arg, target) for arg in args):
                return True
            case ast.Call(func=ast.Attribute(value=held, attr=name)) if name in LOOKED_FOR and growing.is_same(
                held, target
            ):
                return True
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[held]) if growing.is_same(held, target):
                return True
    return False


def _ends_at_a_mark(loop: ast.AST, drawn: frozenset[str]) -> bool:
    """Whether a `while` goes on until what it draws is a mark of an end."""
    asked = ast.walk(loop.test) if isinstance(loop, ast.While) else ()
    return any(
        isinstance(each, ast.Compare)
        and isinstance(each.left, ast.Name)
        and each.left.id in drawn
        and isinstance(each.comparators[0], ast.Constant)
        and bool(each.comparators[0].value)
        for each in asked
    )


def _is_of_columns(call: ast.Call) -> bool:
    """Whether parts are put beside each other: there are as many as columns."""
    return any(
        (each.arg == "axis" and isinstance(each.value, ast.Constant) and each.value.value in {1, "columns"})
        or (each.arg == "dim" and not (isinstance(each.value, ast.Constant) and each.value.value == 0))
        for each in call.keywords
    )


def _begins_empty(look: Look, node: ast.Assign, target: ast.expr) -> bool:
    """Whether it is empty, or nothing, before the loop, and the loop only adds to it."""
    loop = look.module.loops_of(node)[0]
    if isinstance(target, ast.Attribute):
        owner = look.module.class_of(node) if isinstance(target.value, ast.Name) and target.value.id == "self" else None
        held = (
            [each for each in look.values.selves(owner).get(target.attr, []) if each.node is not node] if owner else []
        )
        return bool(held) and all(_is_empty(each.value) for each in held)
    if not isinstance(target, ast.Name):
        return False
    bindings = [
        each for each in look.module.scope_of(target).lookup(target.id) if each.how != "aug" and each.node is not node
    ]
    inside = [
        each for each in bindings if each.node is loop or any(above is loop for above in look.module.parents(each.node))
    ]
    outside = [each for each in bindings if each not in inside]
    return any(_is_empty(each.value) for each in outside) and all(
        each.how == "is" and (_is_empty(each.value) or (each.value is not None and target.id in growing.names_in(each.value)) or _is_first(look, each.node, target))
        for each in inside
    )  # fmt: skip


def _is_empty(node: ast.expr | None) -> bool:
    """None, an empty literal, or a frame or array that is made without anything in it."""
    if node is None:
        return False
    if isinstance(node, ast.Call):
        given = [*node.args[:1], *(each.value for each in node.keywords if each.arg in {"data", "shape"})]
        return all(growing.is_empty(each) or _has_no(each) for each in given)
    return growing.is_empty(node) or (isinstance(node, ast.Constant) and node.value is None)


def _has_no(shape: ast.expr) -> bool:
    """Whether a shape has nothing in it: 0, or `(0, 768)`."""
    parts = shape.elts if isinstance(shape, ast.Tuple | ast.List) else [shape]
    return any(isinstance(each, ast.Constant) and each.value == 0 and each.value is not False for each in parts)


def _is_first(look: Look, node: ast.AST, target: ast.Name) -> bool:
    """Whether it is bound below a question whether it is nothing yet."""
    above = look.module.above.get(node)
    return isinstance(above, ast.If) and target.id in growing.names_in(above.test)


def _leftmost(node: ast.expr) -> ast.expr:
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        node = node.left
    return node


def _counts_down(loop: ast.While) -> bool:
    """Whether it goes on until a number that it takes from is used up: `while left > 0: …; left -= len(part)`."""
    asked = set(growing.names_in(loop.test))
    return any(
        isinstance(each, ast.AugAssign)
        and isinstance(each.op, ast.Sub)
        and isinstance(each.target, ast.Name)
        and each.target.id in asked
        for each in own_nodes(loop)
    )


def _loops_are_short(look: Look, node: ast.AST) -> bool:
    loops = look.module.loops_of(node)
    return all(isinstance(each, ast.For) and is_fixed(look, each.iter) for each in loops)


def _text(look: Look, node: ast.Assign | ast.AugAssign, target: ast.expr) -> Iterator[Found]:
    """Only what begins as a text outside of the loops, and is not bound anew inside."""
    if not isinstance(target, ast.Name) or _loops_are_short(look, node):
        return
    bindings = [
        each for each in look.module.scope_of(target).lookup(target.id) if each.how != "aug" and each.node is not node
    ]
    texts = [
        each.value
        for each in bindings
        if isinstance(each.value, ast.Constant) and isinstance(each.value.value, str | bytes)
    ]
    if not bindings or len(texts) != len(bindings):
        return
    loop = look.module.loops_of(node)[-1]
    if any(above is loop for each in bindings for above in look.module.parents(each.node)):
        return
    if isinstance(loop, ast.While) and target.id in growing.names_in(loop.test):
        return  # it ends when there is enough, or when something is in it
    if isinstance(loop, ast.While) and _counts_down(loop):
        return  # as much as was asked for
    if is_last(look.module, node, look.module.loops_of(node)[0]):
        return  # once
    confidence = Confidence.MAYBE
    is_bytes = any(isinstance(each.value, bytes) for each in texts)
    drawn = of_while(look, loop) if isinstance(loop, ast.While) else None
    over = look.value(loop.iter) if isinstance(loop, ast.For | ast.AsyncFor) else drawn.over if drawn else None
    if over is not None and (
        over.kind in (known.STREAMS - known.OPEN_ENDED if is_bytes else WHOLE)
        or (over.kind == "file" and lengths.is_long(look, over) and lengths.is_of_data(look, over))
        or (over.kind in statements.ROWS and statements.is_of_all(look, loop, over))
    ):
        confidence = Confidence.LIKELY
    if isinstance(loop, ast.AsyncFor) and is_bytes:
        confidence = Confidence.LIKELY
    ends = any(isinstance(each, ast.Break) and not (drawn and ends_with_stream(drawn, each)) for each in ast.walk(loop))
    if (
        ends
        or (drawn is not None and _ends_at_a_mark(loop, drawn.drawn))
        or growing.is_shrunk([each for each in ast.walk(loop) if each is not node], target)
        or _is_measured(loop, target)
    ):
        confidence = Confidence.MAYBE
    held = "is copied whole for each part that is added" if is_bytes else "holds all of the stream in the end"
    cure = "collect parts in a list and join them once, or write each one out" if is_bytes else "write each part out"
    yield Found(node, f"`{target.id}` {held}; {cure}.", confidence)


RULE = Rule(
    "FW204", "joined-in-a-loop", "Something is copied whole in each round of a loop, to add a part to it.", _check
)
