"""FW102: a file, an answer or an upload is read whole, and then taken apart, copied or hashed.

Covers:     `read()` without a size, `readlines()`, `read_text`, `read_bytes`, `.content`, `.text`, of what is known to be a stream.
Not here:   texts that a parser gets (`fw103`).
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint import lengths, uses, wording
from flatwater.lint.finding import Confidence
from flatwater.lint.fixed import is_fixed
from flatwater.lint.nodes import own_nodes
from flatwater.lint.rule import Found, Look, Rule
from flatwater.lint.values import Value

STREAMS = frozenset({"file", "http.reading", "aio.answer", "http.stream", "upload", "boto.object", "zip", "tar"})
READS = ("read", "readlines", "aread", "read_text", "read_bytes", "text", "getvalue")
CURES = {
    "parts": "go over the stream itself: it gives a line at a time",
    "copied": "copy it in parts with `shutil.copyfileobj`, or go over its chunks",
    "hashed": "use `hashlib.file_digest`, or go over `fw.FileChunks`",
    "": "go over it in parts, or give `read` a size",
}

SIGNS = frozenset({"#", ";", "=", ":", "!", "//", b"#", b";", b"=", b":"})  # of comments and of assignments
HOST_PARTS = 2  # of `https://host`, divided at each stroke, before the host itself
STEPS_MAX = 4  # of `decode` and the like that are followed: `text = text.strip()` leads to itself


def _check(look: Look) -> Iterator[Found]:
    for call, func in look.method_calls(*READS):
        holder = look.value(func.value)
        if holder is None or not _is_unsized(call, func, holder) or _is_of_the_author(look, func.value, holder):
            continue
        if uses.is_of_memory(look.values.resolved(holder.call.args[0] if holder.call and holder.call.args else None)):
            continue
        if _is_the_end(look, call, func):
            continue
        use = _use(look, call)
        said = f"`{func.attr}()` holds the whole of it{_TOLD[use]}; {CURES[use]}."
        yield Found(call, said, min(holder.confidence, _confidence(look, call, use, holder)))
    for node in look.module.of(ast.Attribute):
        above = look.module.above.get(node)
        if node.attr not in {"content", "text"} or (isinstance(above, ast.Call) and above.func is node):
            continue
        holder = look.value(node.value)
        if holder is None or holder.kind not in {"http.stream", "http.answer"}:
            continue
        if _is_for_an_error(look, node) or _is_a_part(look, node, holder):
            continue
        use = _use(look, node)
        confidence = _confidence(look, node, use, holder)
        if node.attr == "text" and holder.kind == "http.answer":
            confidence = Confidence.MAYBE  # a page, more often than a file
        yield Found(
            node,
            f"`.{node.attr}` holds the whole answer{_TOLD[use]}; ask with `stream=True` and go over `iter_content` or `iter_lines`.",
            min(confidence, holder.confidence),
        )


def _is_the_end(look: Look, call: ast.Call, func: ast.Attribute) -> bool:
    """Whether the function goes to the end of the file first, to read what stands there."""
    return any(
        isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr == "seek" and len(each.args) > 1
        and ast.dump(each.func.value) == ast.dump(func.value)
        for each in own_nodes(look.module.function_of(call) or look.module.tree)
    )  # fmt: skip


def _is_a_part(look: Look, node: ast.expr, holder: Value) -> bool:
    """Whether what is asked for is written down, or a range of bytes of it."""
    asked = holder.call
    if asked is None:
        return False
    address = asked.args[0] if asked.args else next((each.value for each in asked.keywords if each.arg == "url"), None)
    within = look.module.function_of(node) or asked
    return (
        is_fixed(look, address)
        or _has_a_host(look.values.resolved(address))
        or any(isinstance(each, ast.Constant) and each.value in {"Range", "range"} for each in ast.walk(within))
    )


def _has_a_host(address: ast.expr | None) -> bool:
    """Whether the host is written down, and a part of its path: a file that the author knows."""
    first = address.values[0] if isinstance(address, ast.JoinedStr) and address.values else None
    said = first.value if isinstance(first, ast.Constant) else ""
    return (
        isinstance(said, str)
        and said.startswith(("http://", "https://"))
        and len(said.rstrip("/").split("/")) > HOST_PARTS
    )


def _is_for_an_error(look: Look, node: ast.expr) -> bool:
    """Whether it becomes part of what an error says: a short answer."""
    return any(
        isinstance(above, ast.Raise | ast.FormattedValue)
        for place in uses.places(look.module, node)
        for above in look.module.parents(place)
    )


_TOLD = {
    "parts": " before it is taken apart",
    "copied": " to write it elsewhere",
    "hashed": " to compute a digest",
    "": "",
}


def _is_unsized(call: ast.Call, func: ast.Attribute, holder: Value) -> bool:
    if func.attr in {"read_text", "read_bytes"}:
        return holder.kind == "path"
    if func.attr == "text":
        return holder.kind == "aio.answer"
    if func.attr == "getvalue" or holder.kind not in STREAMS or holder.kind in {"zip", "tar"}:
        return False
    if not call.args and not call.keywords:
        return True
    first = call.args[0] if call.args else None
    match first:
        case ast.Constant(value=None) | ast.UnaryOp(op=ast.USub()):
            return func.attr == "read"
    return False


def _is_of_the_author(look: Look, node: ast.expr, holder: Value) -> bool:
    """Whether the file is one that the program's author wrote down."""
    if holder.kind == "path":
        return is_fixed(look, look.values.resolved(node))
    made = holder.call
    if made is None:
        return False
    if isinstance(made.func, ast.Attribute) and look.origin(made.func) != "open":
        inner = look.value(made.func.value)
        if inner is not None and inner.kind == "path":
            return is_fixed(look, made.func.value)
    return bool(made.args) and holder.kind == "file" and is_fixed(look, made.args[0])


def _use(look: Look, node: ast.expr, steps: int = STEPS_MAX) -> str:
    module = look.module
    for place in uses.places(module, node):
        if uses.is_iterated(module, place):
            return "parts"
        above = module.above.get(place)
        if (
            isinstance(above, ast.Attribute)
            and above.attr in {"splitlines", "split"}
            and isinstance(module.above.get(above), ast.Call)
        ):
            parts = module.above[above]
            if any(uses.is_iterated(module, each) for each in uses.places(module, parts)):
                return "parts"
        if isinstance(above, ast.Attribute) and above.attr in {"decode", "strip", "encode"}:
            decoded = module.above.get(above)
            if (
                steps
                and isinstance(decoded, ast.Call)
                and (found := _use(look, decoded, steps - 1)) in {"parts", "copied"}
            ):
                return found
        if isinstance(above, ast.Call) and place in above.args:
            origin = look.origin(above.func)
            if origin.startswith(("hashlib.", "zlib.crc32", "zlib.adler32", "xxhash.")):
                return "hashed"
            if (
                isinstance(above.func, ast.Attribute)
                and above.func.attr
                in {
                    "write",
                    "write_bytes",
                    "write_text",
                    "writelines",
                    "sendall",
                }
                and not _is_in_memory(look, above.func.value)
            ):
                return "copied"
            if isinstance(above.func, ast.Attribute) and above.func.attr == "update":
                holder = look.values.resolved(above.func.value)
                if isinstance(holder, ast.Call) and look.origin(holder.func).startswith("hashlib."):
                    return "hashed"
    return ""


def _is_in_memory(look: Look, node: ast.expr) -> bool:
    """Whether what is written to is held in memory as well."""
    made = [look.values.resolved(node)]
    if isinstance(node, ast.Name):
        made += [each.value for each in look.module.scope_of(node).lookup(node.id)]
    owner = look.module.class_of(node)
    if isinstance(node, ast.Attribute) and owner is not None:
        made += [
            each.value for name, bindings in look.values.selves(owner).items() if name == node.attr for each in bindings
        ]
    return any(map(uses.is_of_memory, made))


def _confidence(look: Look, node: ast.expr, use: str, holder: Value) -> Confidence:
    """Sure where a loop stands around it; a doubt where it is used again, or where names say that a person wrote the file."""
    if not use or _is_of_settings(look, node, holder):
        return Confidence.MAYBE
    if use == "hashed" and holder.kind in {"file", "path"} and _is_of_a_tag(look, node):
        return Confidence.MAYBE
    if use != "parts":
        return Confidence.MAYBE if _is_pinned(look, node) else Confidence.LIKELY
    if holder.kind == "http.answer":
        return Confidence.MAYBE  # figures, lists of names: short answers, more often than not
    if _is_of_assignments(look, node):
        return Confidence.MAYBE
    if len(list(uses.places(look.module, node))) > 1:
        return Confidence.MAYBE  # a name in between: lines of a vocabulary, of settings, that are kept in any case
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "readlines":
        return Confidence.SURE
    return (
        Confidence.LIKELY
        if any(isinstance(each, ast.For) for each in _expression_and_statement(look, node))
        else Confidence.MAYBE
    )


def _is_of_a_tag(look: Look, node: ast.AST) -> bool:
    """Whether a part of the digest is enough, or the file is read by its path: of sources and settings, to see whether they changed."""
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"read_text", "read_bytes"}
    ):
        return not wording.is_of_lines(ast.unparse(node.func.value))
    return any(
        isinstance(above, ast.Subscript) and isinstance(above.slice, ast.Slice)
        for place in uses.places(look.module, node)
        for above in look.module.parents(place)
    )


def _is_pinned(look: Look, node: ast.AST) -> bool:
    """Whether the function compares a digest with one that it knows: what is read is one file, of a size that its author knows."""
    return any(
        isinstance(each, ast.Compare) and isinstance(each.ops[0], ast.NotEq | ast.Eq)
        and any(_is_digest(look, side) for side in (each.left, *each.comparators))
        for each in own_nodes(look.module.function_of(node) or look.module.tree)
    )  # fmt: skip


def _is_digest(look: Look, node: ast.expr) -> bool:
    made = look.values.resolved(node)
    return (
        isinstance(made, ast.Call)
        and isinstance(made.func, ast.Attribute)
        and made.func.attr in {"hexdigest", "digest"}
    )


def _is_of_assignments(look: Look, node: ast.AST) -> bool:
    """Whether its lines are taken apart as those of settings are: comments are left out, names are followed by `=`."""
    loop = next(
        (
            each
            for each in look.module.parents(node)
            if isinstance(each, ast.For | ast.AsyncFor | ast.ListComp | ast.SetComp | ast.stmt)
        ),
        None,
    )
    return isinstance(loop, ast.For | ast.AsyncFor | ast.ListComp | ast.SetComp) and any(
        isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.args
        and each.func.attr in {"startswith", "split", "rsplit", "partition", "find"}
        and isinstance(each.args[0], ast.Constant) and each.args[0].value in SIGNS
        for each in ast.walk(loop)
    )  # fmt: skip


def _expression_and_statement(look: Look, node: ast.AST) -> Iterator[ast.AST]:
    """Who stands above it, up to the statement, unless a comprehension makes a list of it."""
    for above in look.module.parents(node):
        if isinstance(above, ast.comprehension):
            return
        yield above
        if isinstance(above, ast.stmt):
            return


def _is_of_settings(look: Look, node: ast.AST, holder: Value) -> bool:
    """Whether what it was opened with, or who opens it, is called as files are that people write, and keep short."""
    made = holder.call
    named = [
        each.name
        for each in look.module.parents(node)
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    if any(map(wording.is_of_settings, named)):
        return True
    if holder.kind == "path" and isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return not lengths.is_long_file(look, node.func.value)
    if holder.kind not in {"file", "path"} or made is None:
        return False
    if isinstance(made.func, ast.Attribute) and not made.args:
        return not lengths.is_long_file(look, made.func.value)
    return bool(made.args) and not lengths.is_long_file(look, made.args[0])


RULE = Rule("FW102", "read-whole", "A stream is read whole, and then taken apart, copied or hashed.", _check)
