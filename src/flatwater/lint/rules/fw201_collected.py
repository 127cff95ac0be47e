"""FW201: a loop over batches or records collects all of them, and what it collected is used when the loop has ended.

Covers:     lists, sets, dicts, deques and texts that were empty before the loop and are never emptied in it.
Not here:   comprehensions and `list(…)` (`fw202`), tables that are joined (`fw204`).
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint import growing, known, lengths, statements, wording
from flatwater.lint.finding import Confidence
from flatwater.lint.nodes import own_nodes
from flatwater.lint.rounds import Round, ends_with_stream, is_last, rounds
from flatwater.lint.rounds import inside as in_rounds
from flatwater.lint.rule import Found, Look, Rule
from flatwater.lint.values import Value

STRONG = frozenset(
    {"records", "batches", "frames", "db.server_cursor", "sa.streamed", "redis.scan", "http.reading", "endless"}
)
PARSES = frozenset(
    {"json.loads", "orjson.loads", "ujson.loads", "simplejson.loads", "msgspec.json.decode", "ast.literal_eval"}
)
Loop = ast.For | ast.AsyncFor | ast.While
KEYED = frozenset({"add", "setdefault", "[]+="})  # as many as there are different keys


def _check(look: Look) -> Iterator[Found]:
    for found_round in rounds(look):
        loop, over = found_round.loop, found_round.over
        if over.kind not in known.STREAMS or _is_fixed_file(look, over) or "-ns" in ast.unparse(found_round.source):
            continue
        inside = list(in_rounds(loop))
        told: set[str] = set()
        for node in inside:
            found = growing.added(node)
            if (
                found is None
                or found.how == "write"
                or not isinstance(found.target, ast.Name)
                or found.target.id in told
            ):
                continue
            name = found.target
            if (
                not _was_empty(look, name, loop)
                or growing.is_shrunk(inside, name)
                or not _is_used_after(look, name, loop)
                or is_last(look.module, node, loop)
            ):
                continue
            told.add(name.id)
            confidence = min(over.confidence, _confidence(look, found_round, found))
            if (
                not _is_handed_on(look, name, loop)
                or wording.is_of_faults(name.id)
                or _is_measured(found_round, inside)
            ):
                confidence = (
                    Confidence.MAYBE
                )  # looked things up in, or given back: wanted as a whole; few; as many as a bound lets in
            if not lengths.is_long(look, over) or _is_asked_first(look, found) or _is_known_few(look, name, inside):
                confidence = Confidence.MAYBE
            counted = _is_only_counted(look, name, loop)
            if counted and found.how not in KEYED:
                confidence = max(confidence, _of_counted(look, found_round))
            cure = "count as you go" if counted else "hand them on in batches, or put them into a `fw.Store`"
            held = (
                "everything that the loop is given, only to count it"
                if counted
                else "everything that the loop is given, until it has ended"
            )
            yield Found(node, f"`{name.id}` holds {held}; {cure}.", confidence)


def _is_asked_first(look: Look, found: growing.Added) -> bool:
    """Whether it is only added where it is not there yet: as many as there are different ones."""
    return any(
        isinstance(above, ast.If)
        and any(
            isinstance(each, ast.Compare) and isinstance(each.ops[0], ast.NotIn) and growing.is_same(each.comparators[0], found.target)
            for each in ast.walk(above.test)
        )
        for above in look.module.parents(found.node)
    )  # fmt: skip


def _is_known_few(look: Look, name: ast.Name, inside: list[ast.AST]) -> bool:
    """Whether something is looked for in it in each round, or there is a number of them that all must be: `len(found) == 1`."""
    for each in own_nodes(look.module.function_of(name) or look.module.tree):
        match each:
            case ast.Compare(
                left=ast.Call(func=ast.Name(id="len"), args=[held]),
                ops=[ast.Eq() | ast.NotEq()],
                comparators=[ast.Constant(value=int(count))],
            ):
                if count > 0 and growing.is_same(held, name):
                    return True
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[held]):
                if growing.is_same(held, name) and each in inside and _is_text(look, name):
                    return True
    return False


def _is_text(look: Look, name: ast.Name) -> bool:
    """Whether it begins as a text: what is looked for in it is a mark of its end."""
    return any(
        isinstance(each.value, ast.Constant) and isinstance(each.value.value, str | bytes)
        for each in look.module.scope_of(name).lookup(name.id)
    )


def _is_measured(of: Round, inside: list[ast.AST]) -> bool:
    """Whether the loop ends when it has enough: something is compared with a bound, and it breaks."""
    return any(
        isinstance(each, ast.If)
        and any(isinstance(part, ast.Break) and not ends_with_stream(of, part) for part in each.body)
        and any(isinstance(part, ast.Compare) and isinstance(part.ops[0], ast.Gt | ast.GtE) for part in ast.walk(each.test))
        for each in inside
    )  # fmt: skip


def _is_fixed_file(look: Look, over: Value) -> bool:
    from flatwater.lint.fixed import is_fixed

    return over.kind == "file" and over.call is not None and bool(over.call.args) and is_fixed(look, over.call.args[0])


def _was_empty(look: Look, name: ast.Name, loop: ast.AST) -> bool:
    """Whether it is bound to something empty, outside of the loop, in the same function."""
    scope = look.module.scope_of(name).holding(name.id)
    if scope is None or scope.node is not (look.module.function_of(name) or look.module.tree):
        return False
    bindings = [each for each in scope.names[name.id] if each.how != "aug"]
    if not bindings or any(each.how != "is" or not growing.is_empty(each.value) for each in bindings):
        return False
    return not any(above is loop for each in bindings for above in look.module.parents(each.node))


def _is_used_after(look: Look, name: ast.Name, loop: Loop) -> bool:
    end = loop.end_lineno or loop.lineno
    for each in own_nodes(look.module.function_of(loop) or look.module.tree):
        if isinstance(each, ast.Name) and each.id == name.id and isinstance(each.ctx, ast.Load) and each.lineno > end:
            return True
    return False


def _is_handed_on(look: Look, name: ast.Name, loop: Loop) -> bool:
    """Whether it is written, sent, joined or counted behind the loop, or gone over there to do that."""
    end = loop.end_lineno or loop.lineno
    for each in own_nodes(look.module.function_of(loop) or look.module.tree):
        if not (
            isinstance(each, ast.Name) and each.id == name.id and isinstance(each.ctx, ast.Load) and each.lineno > end
        ):
            continue
        for above in look.module.parents(each):
            if isinstance(above, ast.stmt):
                break
            if isinstance(above, ast.Call):
                called = above.func.attr if isinstance(above.func, ast.Attribute) else getattr(above.func, "id", "")
                if called == "len" or wording.is_of_sinks(called):
                    return True
        stands = next((above for above in look.module.parents(each) if isinstance(above, ast.stmt)), None)
        if isinstance(stands, ast.For) and any(
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and (
                wording.is_of_sinks(call.func.attr)
                or (call.func.attr == "append" and look.value(call.func.value) is None)
            )
            for inner in stands.body
            for call in ast.walk(inner)
        ):
            return True
    return False


def _of_counted(look: Look, of: Round) -> Confidence:
    """What is only counted need not be kept, whatever else is asked of each: how many there are is all that matters."""
    if of.over.kind in STRONG:
        return min(of.over.confidence, Confidence.LIKELY)
    is_long = of.over.kind == "file" and lengths.is_long(look, of.over)
    return Confidence.LIKELY if is_long else Confidence.MAYBE


def _is_only_counted(look: Look, name: ast.Name, loop: Loop) -> bool:
    end, count = loop.end_lineno or loop.lineno, 0
    for each in own_nodes(look.module.function_of(loop) or look.module.tree):
        if isinstance(each, ast.Name) and each.id == name.id and isinstance(each.ctx, ast.Load) and each.lineno > end:
            above = look.module.above.get(each)
            if not (isinstance(above, ast.Call) and look.origin(above.func) in {"len", "sum"}):
                return False
            count += 1
    return count > 0


def _confidence(look: Look, of: Round, found: growing.Added) -> Confidence:
    loop, over, drawn = of.loop, of.over, set(of.drawn)
    if over.kind in known.OPEN_ENDED or found.how in KEYED or _is_summed(found):
        return Confidence.MAYBE
    put = found.node
    if not drawn & set(growing.names_in(put)) and not _comes_from(put, drawn, loop):
        return Confidence.MAYBE
    most = _most(look, of)
    for above in look.module.parents(put):
        if above is loop:
            break
        if isinstance(above, ast.If | ast.Try | ast.Match):
            return min(most, Confidence.LIKELY) if over.kind in STRONG else Confidence.MAYBE
    return most


def _is_summed(found: growing.Added) -> bool:
    """Whether what is put under a key is computed from what is there: `counts[key] = counts.get(key, 0) + 1`."""
    return (
        found.how == "[]" and isinstance(found.node, ast.Assign) and isinstance(found.target, ast.Name)
        and found.target.id in growing.names_in(found.node.value)
    )  # fmt: skip


def _most(look: Look, of: Round) -> Confidence:
    """How sure it can be that there is more to collect with more data."""
    loop, over = of.loop, of.over
    if over.kind in STRONG:
        return Confidence.SURE
    if over.kind in statements.ROWS:
        return Confidence.LIKELY if statements.is_of_all(look, loop, over, of.source) else Confidence.MAYBE
    if over.kind == "mongo.cursor":
        return Confidence.LIKELY if over.call is not None and _finds_all(over.call) else Confidence.MAYBE
    if over.kind == "file":
        return (
            Confidence.LIKELY
            if any(_is_record(look, each, set(of.drawn)) for each in in_rounds(loop))
            else Confidence.MAYBE
        )
    if over.kind in {"fs.entries", "fs.tree"}:
        return Confidence.MAYBE  # names, which are few or wanted in order, more often than not
    return Confidence.LIKELY


def _finds_all(call: ast.Call) -> bool:
    """Whether a cursor of MongoDB is one of `find()`, `find({})` or `find({"state": "sent"})`, in whatever order."""
    node: ast.expr = call
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr == "find":
            asked = node.args[0] if node.args else None
            return asked is None or (
                isinstance(asked, ast.Dict)
                and all(
                    isinstance(key, ast.Constant) and statements.is_state(str(key.value), value)
                    for key, value in zip(asked.keys, asked.values, strict=True)
                )
            )
        node = node.func.value
    return False


def _is_record(look: Look, node: ast.AST, drawn: set[str]) -> bool:
    """Whether a line is read as a row of data."""
    if not isinstance(node, ast.Call):
        return False
    if look.origin(node.func) in PARSES:
        return any(name in drawn for each in node.args for name in growing.names_in(each))
    if isinstance(node.func, ast.Attribute) and node.func.attr == "split" and node.args:
        said = node.args[0]
        return (
            isinstance(said, ast.Constant)
            and said.value in {",", "\t", ";", b",", b"\t"}
            and bool(drawn & set(growing.names_in(node.func)))
        )
    return False


def _comes_from(node: ast.AST, drawn: set[str], loop: ast.AST) -> bool:
    """Whether a name in it was computed, in the loop, from what the loop drew."""
    for name in growing.names_in(node):
        for each in ast.walk(loop):
            value = (
                each.value
                if isinstance(each, ast.Assign)
                else each.iter
                if isinstance(each, ast.For) and each is not loop
                else None
            )
            targets = (
                each.targets if isinstance(each, ast.Assign) else [each.target] if isinstance(each, ast.For) else []
            )
            if (
                value is not None
                and any(isinstance(t, ast.Name) and t.id == name for one in targets for t in ast.walk(one))
                and drawn & set(growing.names_in(value))
            ):
                return True
    return False


RULE = Rule("FW201", "collected", "A loop over a stream collects all of it.", _check)
