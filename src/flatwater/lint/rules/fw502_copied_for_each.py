"""FW502: the same object is copied or serialised for each of many receivers.

Covers:     `json.dumps`, `pickle.dumps`, `copy.deepcopy` and their siblings in a loop, of what the loop does not change.
Not here:   what differs from round to round.
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint import growing
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
    {"put", "put_nowait", "send", "append", "appendleft", "publish", "emit", "write", "notify", "send_nowait"}
)


def _is_put(look: Look, call: ast.Call) -> bool:
    """Whether the copy goes straight to somebody; an argument of a function may be changed there, which is what it is copied for."""
    above = look.module.above.get(call)
    return isinstance(above, ast.Call) and isinstance(above.func, ast.Attribute) and above.func.attr in PUTS


def _check(look: Look) -> Iterator[Found]:
    for call in look.module.of(ast.Call):
        name = look.origin(call.func)
        if name not in DUMPS or not call.args or is_fixed(look, call.args[0]):
            continue
        loops = [each for each in look.module.loops_of(call) if not isinstance(each, ast.While)]
        if not loops or not _is_same_each_time(call, loops[0]):
            continue
        is_copy = name == "copy.deepcopy"
        above = look.module.above.get(call)
        is_sent = (
            isinstance(above, ast.Call)
            and above is not loops[0]
            and not _is_logged(above)
            and _is_for_each(look, above, loops[0])
        )
        short = name.rpartition(".")[2]
        message = f"`{short}` makes the same again for each receiver; " + (
            "hand on one that nobody changes." if is_copy else "make it once, before the loop, and send the same bytes."
        )
        yield Found(
            call,
            message,
            Confidence.MAYBE
            if not is_sent
            else Confidence.SURE
            if not is_copy
            else Confidence.LIKELY
            if _is_put(look, call)
            else Confidence.MAYBE,
        )


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
    targets = (
        [loop.target]
        if isinstance(loop, ast.For | ast.AsyncFor)
        else [each.target for each in getattr(loop, "generators", [])]
    )
    drawn = {part.id for each in targets for part in ast.walk(each) if isinstance(part, ast.Name)}
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
