"""FW502: the same object is copied or serialised for each of many receivers.

Covers:     `json.dumps`, `pickle.dumps`, `copy.deepcopy` and their siblings in a loop, of what the loop does not change.
Not here:   what differs from round to round.
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint import growing, uses, wording
from flatwater.lint.finding import Confidence
from flatwater.lint.fixed import is_fixed
from flatwater.lint.rule import Found, Look, Rule
from flatwater.lint.scopes import COMPREHENSIONS

DUMPS = frozenset(
    {
        "json.dumps",
        "pickle.dumps",
        "marshal.dumps",
        "msgpack.packb",
        "msgspec.json.encode",
        "yaml.safe_dump",
        "yaml.dump",
        "copy.deepcopy",
    }
)


PUTS = frozenset(
    {
        "put",
        "put_nowait",
        "send",
        "sendall",
        "sendto",
        "send_text",
        "send_bytes",
        "send_str",
        "send_message",
        "send_json",
        "append",
        "appendleft",
        "publish",
        "emit",
        "write",
        "write_message",
        "notify",
        "send_nowait",
        "deliver",
        "push",
    }
)
RECEIVERS = frozenset(
    """
    callbacks clients connections consumers followers listeners members observers peers players queues receivers recipients sockets
    subscribers subscriptions viewers watchers websockets
    """.split()  # noqa: SIM905 - words are read as words
)
TELLS = ("on_", "handle", "receive", "notify", "send", "publish", "emit", "deliver", "dispatch", "push", "tell", "call")


def _check(look: Look) -> Iterator[Found]:
    for call in look.module.of(ast.Call):
        name = look.origin(call.func)
        if name not in DUMPS or not call.args or _is_written(look, call.args[0]):
            continue
        loops = [each for each in look.module.loops_of(call) if not isinstance(each, ast.While)]
        if not loops or not _is_same_each_time(call, loops[0]):
            continue
        is_copy = name == "copy.deepcopy"
        if is_copy and (_is_changed(look, call, loops[0]) or _is_over_what_is_written(look, loops[0])):
            continue
        short = name.rpartition(".")[2]
        message = f"`{short}` makes the same again for each receiver; " + (
            "hand on one that nobody changes." if is_copy else "make it once, before the loop, and send the same bytes."
        )
        yield Found(call, message, _confidence(look, call, loops[0], is_copy=is_copy))


def _confidence(look: Look, call: ast.Call, loop: ast.AST, *, is_copy: bool) -> Confidence:
    """Sure of bytes that are sent; a copy is likely where somebody gets it who cannot be the one it was made for."""
    named = uses.name_of(look.module, call)
    if named is None:
        above = look.module.above.get(call)
        if (
            isinstance(above, ast.Tuple)
            and isinstance(loop, ast.ListComp | ast.SetComp | ast.GeneratorExp)
            and above is loop.elt
            and not is_copy
            and any(isinstance(each, ast.Name) and each.id in _drawn(loop) for each in above.elts)
        ):  # fmt: skip
            return Confidence.LIKELY  # a pair of who gets it, and what he gets
        if not (
            isinstance(above, ast.Call)
            and above is not loop
            and not _is_logged(above)
            and _is_for_each(look, above, loop)
        ):
            return Confidence.MAYBE
        if not is_copy:
            return Confidence.SURE if _is_put(above) or _is_received(above, loop) else Confidence.MAYBE
        return Confidence.LIKELY if _is_put(above) or _is_received(above, loop) else Confidence.MAYBE
    sent = _sent_by_name(look, named, loop)
    if (
        sent is None
        or not (_is_put(sent) or _is_received(sent, loop))
        or _is_logged(sent)
        or not _is_for_each(look, sent, loop)
    ):
        return Confidence.MAYBE
    return Confidence.LIKELY


def _sent_by_name(look: Look, named: ast.Name, loop: ast.AST) -> ast.Call | None:
    """The call that gets what was bound to a name in the loop, where that is all that is done with it."""
    reads = [
        each for each in ast.walk(look.module.function_of(named) or look.module.tree)
        if isinstance(each, ast.Name) and each.id == named.id and each is not named
    ]  # fmt: skip
    if len(reads) != 1 or loop not in look.module.loops_of(reads[0]):
        return None
    above = look.module.above.get(reads[0])
    return above if isinstance(above, ast.Call) and reads[0] in above.args else None


def _is_put(sent: ast.Call) -> bool:
    """Whether it goes straight to somebody; an argument of a function may be changed there, which is what it is copied for."""
    return isinstance(sent.func, ast.Attribute) and sent.func.attr in PUTS


def _is_received(sent: ast.Call, loop: ast.AST) -> bool:
    """Whether who is drawn in the loop is called with it, out of those that are called as receivers are: `for each in self.listeners: each(…)`."""
    over: ast.expr = loop.iter if isinstance(loop, ast.For | ast.AsyncFor) else loop.generators[0].iter  # type: ignore[attr-defined]
    while isinstance(over, ast.Call):  # `list(…)`, `.copy()`, `.values()`
        if over.args:
            over = over.args[0]
        elif isinstance(over.func, ast.Attribute):
            over = over.func.value
        else:
            break
    name = over.attr if isinstance(over, ast.Attribute) else over.id if isinstance(over, ast.Name) else ""
    called = sent.func
    if isinstance(called, ast.Attribute):
        if not called.attr.strip("_").startswith(TELLS):
            return False  # a state of his own, more often than not
        called = called.value
    return (
        isinstance(called, ast.Name)
        and called.id in _drawn(loop)
        and bool({each.lower() for each in wording.PARTS.findall(name)} & RECEIVERS)
    )


def _is_changed(look: Look, call: ast.Call, loop: ast.AST) -> bool:
    """Whether the loop changes the copy, which is what it was made for."""
    named = uses.name_of(look.module, call)
    if named is None:
        return False
    for each in ast.walk(loop):
        if isinstance(each, ast.Attribute | ast.Subscript) and isinstance(each.ctx, ast.Store | ast.Del):
            if named.id in growing.names_in(each.value):
                return True
        elif (found := growing.added(each)) is not None and named.id in growing.names_in(found.target):
            return True
    return False


def _is_over_what_is_written(look: Look, loop: ast.AST) -> bool:
    return is_fixed(look, loop.iter if isinstance(loop, ast.For | ast.AsyncFor) else loop.generators[0].iter)  # type: ignore[attr-defined]


def _is_written(look: Look, node: ast.expr) -> bool:
    """Whether all of it is written down; a literal with names in it is as large as what they stand for."""
    if isinstance(node, ast.Dict):
        return all(_is_written(look, each) for each in node.values)
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return all(_is_written(look, each) for each in node.elts)
    if isinstance(node, ast.Name):
        made = look.values.resolved(node)
        return is_fixed(look, node) and not (
            isinstance(made, ast.Dict | ast.List | ast.Tuple) and not _is_written(look, made)
        )
    return is_fixed(look, node)


def _drawn(loop: ast.AST) -> set[str]:
    """The names that a round of the loop gets from what it goes over."""
    targets = (
        [loop.target]
        if isinstance(loop, ast.For | ast.AsyncFor)
        else [each.target for each in getattr(loop, "generators", [])]
    )
    return {part.id for each in targets for part in ast.walk(each) if isinstance(part, ast.Name)}


def _is_logged(call: ast.Call) -> bool:
    """Whether it is told to a logger."""
    return isinstance(call.func, ast.Attribute) and call.func.attr in {
        "debug",
        "info",
        "warning",
        "error",
        "log",
        "exception",
    }


def _is_for_each(look: Look, sent: ast.Call, loop: ast.AST) -> bool:
    """Whether it goes to who is drawn in the loop, and not only in the round of one that is looked for."""
    drawn = _drawn(loop)
    if not drawn & set(growing.names_in(sent)):
        return False
    for above in look.module.parents(sent):
        if above is loop:
            break
        if isinstance(above, ast.If) and any(
            isinstance(each, ast.Compare)
            and isinstance(each.ops[0], ast.Eq | ast.Is)
            and drawn & set(growing.names_in(each))
            for each in ast.walk(above.test)
        ):
            return False
    return True


def _is_same_each_time(call: ast.Call, loop: ast.AST) -> bool:
    """Whether nothing that it reads is bound, changed or drawn in the loop."""
    names = {name for each in [*call.args, *[k.value for k in call.keywords]] for name in growing.names_in(each)}
    if not names or any(
        isinstance(each, ast.Call | ast.Await | ast.Yield) for argument in call.args for each in ast.walk(argument)
    ):
        return False
    bound: set[str] = set()
    for each in ast.walk(loop):
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store | ast.Del):
            bound.add(each.id)
        elif isinstance(each, ast.Attribute | ast.Subscript) and isinstance(each.ctx, ast.Store | ast.Del):
            bound.update(growing.names_in(each.value))
        elif isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each is not call:
            top = each.func.value
            if isinstance(top, ast.Name) and each.func.attr in growing.ADDING | growing.REMOVING:
                bound.add(top.id)
        elif isinstance(each, COMPREHENSIONS):
            for generator in each.generators:
                bound.update(part.id for part in ast.walk(generator.target) if isinstance(part, ast.Name))
    return not names & bound


RULE = Rule(
    "FW502",
    "copied-for-each",
    "The same object is copied or serialised for each of many receivers.",
    _check,
    ("dumps", "deepcopy", "encode", "packb", "dump"),
)
