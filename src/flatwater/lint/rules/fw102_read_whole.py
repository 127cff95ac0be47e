"""FW102: a file, an answer or an upload is read whole, and then taken apart, copied or hashed.

Covers:     `read()` without a size, `readlines()`, `read_text`, `read_bytes`, `.content`, `.text`, of what is known to be a stream.
Not here:   texts that a parser gets (`fw103`).
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from flatwater.lint import lengths, short, uses, wording
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
    "sent": "hand the open file over: it is sent as it is read",
    "archive": "copy it to a file in parts with `shutil.copyfileobj`, and open that",
    "records": "give the reader the stream itself",
    "": "go over it in parts, or give `read` a size",
}

SAME = frozenset({"decode", "encode", "strip", "rstrip", "lstrip", "splitlines", "split"})
UNPACKED = frozenset(
    {
        "gzip.decompress",
        "bz2.decompress",
        "lzma.decompress",
        "zlib.decompress",
        "io.BytesIO",
        "io.StringIO",
        "io.TextIOWrapper",
        "str",
    }
)
ARCHIVES = frozenset({"zipfile.ZipFile", "tarfile.open", "gzip.GzipFile"})
RECORDS = frozenset({"csv.reader", "csv.DictReader"})
SINKS = frozenset(
    {"execute", "insert", "insert_one", "put", "publish", "produce", "save", "send", "send_message", "submit", "upsert"}
)
REDUCED = frozenset({"sum", "any", "all", "min", "max", "next"})
COPIES = frozenset({"write", "write_bytes", "write_text", "writelines", "sendall"})

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
        is_answer = use.how in {"archive", "records"} and holder.kind == "http.reading"
        if holder.kind == "zip" and use.how not in {"parts", "records"}:
            continue  # a file of the program's own, more often than not
        if is_answer and _is_a_part(look, call, holder) and not _is_export(look, use, holder):
            continue
        said = f"`{func.attr}()` holds the whole of it{_TOLD[use.how]}; {CURES[use.how]}."
        yield Found(call, said, min(holder.confidence, _confidence(look, call, use, holder)))
    for node in look.module.of(ast.Attribute):
        above = look.module.above.get(node)
        if node.attr not in {"content", "text"} or (isinstance(above, ast.Call) and above.func is node):
            continue
        holder = look.value(node.value)
        if holder is None or holder.kind not in {"http.stream", "http.answer"}:
            continue
        use = _use(look, node)
        if _is_for_an_error(look, node) or (_is_a_part(look, node, holder) and not _is_export(look, use, holder)):
            continue
        confidence = _confidence(look, node, use, holder)
        if node.attr == "text" and holder.kind == "http.answer" and use.how != "records":
            confidence = Confidence.MAYBE  # a page, more often than a file
        yield Found(
            node,
            f"`.{node.attr}` holds the whole answer{_TOLD[use.how]}; ask with `stream=True` and go over `iter_content` or `iter_lines`.",
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
    address = _address(look, asked)
    within = look.module.function_of(node) or asked
    return (
        is_fixed(look, address)
        or any(map(_has_a_host, _bound(look, address)))
        or any(isinstance(each, ast.Constant) and each.value in {"Range", "range"} for each in ast.walk(within))
    )


def _address(look: Look, asked: ast.Call) -> ast.expr | None:
    """What a call asks for; behind a `Request` that was made of it."""
    first = asked.args[0] if asked.args else next((each.value for each in asked.keywords if each.arg == "url"), None)
    made = look.values.resolved(first)
    if isinstance(made, ast.Call) and made.args and look.origin(made.func) == "urllib.request.Request":
        return made.args[0]
    return first


def _bound(look: Look, node: ast.expr | None) -> list[ast.expr | None]:
    """What a name is bound to, each of it; else the node."""
    if not isinstance(node, ast.Name):
        return [node]
    return [each.value for each in look.module.scope_of(node).lookup(node.id) if each.how == "is"]


def _is_export(look: Look, use: _Use, holder: Value) -> bool:
    """Whether rows are read from it, and its address is that of a program which gives all that it has."""
    address = look.values.resolved(_address(look, holder.call)) if holder.call is not None else None
    return use.how == "records" and address is not None and wording.is_of_exports(ast.unparse(address))


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
    "sent": " to send it",
    "archive": " before it is unpacked",
    "records": " before its rows are read",
    "": "",
}


def _is_unsized(call: ast.Call, func: ast.Attribute, holder: Value) -> bool:
    if func.attr in {"read_text", "read_bytes"}:
        return holder.kind in {"path", "path.entry"}
    if func.attr == "text":
        return holder.kind == "aio.answer"
    if holder.kind == "zip":
        return func.attr == "read" and len(call.args) == 1
    if func.attr == "getvalue" or holder.kind not in STREAMS or holder.kind == "tar":
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
    if holder.kind == "path.entry":
        return isinstance(made.func, ast.Attribute) and is_fixed(look, made.func.value)
    if isinstance(made.func, ast.Attribute) and look.origin(made.func) != "open":
        inner = look.value(made.func.value)
        if inner is not None and inner.kind == "path":
            return is_fixed(look, made.func.value)
    return bool(made.args) and holder.kind == "file" and is_fixed(look, made.args[0])


class _Use(NamedTuple):
    """What becomes of it, and where; `named` is how many names stand in between, each of them used once or not."""

    how: str
    place: ast.AST
    named: int = 0
    is_shared: bool = False


def _use(look: Look, node: ast.expr, steps: int = STEPS_MAX) -> _Use:
    module = look.module
    places = list(uses.places(module, node))
    named, is_shared = int(len(places) > 1), len(places) > 2  # noqa: PLR2004 - where it is bound, and one use
    for place in places:
        above = module.above.get(place)
        if uses.is_iterated(module, place):
            return _Use("parts", place, named, is_shared)
        if steps and (further := _passed_on(look, place, above)) is not None:
            found = _use(look, further, steps - 1)
            if found.how == "hashed" and isinstance(above, ast.Attribute):
                continue  # a text: a source, to see whether it changed
            if found.how:
                return found._replace(named=found.named + named, is_shared=found.is_shared or is_shared)
        if isinstance(above, ast.keyword) and (how := _of_keyword(look, above)):
            return _Use(how, place, named, is_shared)
        if isinstance(above, ast.Call) and place in above.args and (how := _of_argument(look, above, place)):
            return _Use(how, place, named, is_shared)
    return _Use("", node, named, is_shared)


def _passed_on(look: Look, place: ast.AST, above: ast.AST | None) -> ast.expr | None:
    """What holds the same bytes again: its text, its lines, what it unpacks to, a stream of it in memory."""
    if isinstance(above, ast.Attribute) and above.attr in SAME:
        call = look.module.above.get(above)
        return call if isinstance(call, ast.Call) and call.func is above else None
    if isinstance(above, ast.Call) and above.args and above.args[0] is place:
        origin = look.origin(above.func)
        if origin in UNPACKED:
            return above
    return None


def _of_argument(look: Look, call: ast.Call, place: ast.AST) -> str:
    """What a call does with it that it is given to."""
    origin = look.origin(call.func)
    if origin.startswith(("hashlib.", "zlib.crc32", "zlib.adler32", "xxhash.")):
        return "hashed"
    if origin in ARCHIVES:
        return "archive"
    if origin in RECORDS and call.args[0] is place:
        return "records"
    if origin == "re.finditer":
        return "parts"
    if not isinstance(call.func, ast.Attribute):
        return ""
    if call.func.attr in COPIES and not _is_in_memory(look, call.func.value):
        return "copied"
    if call.func.attr == "update":
        holder = look.values.resolved(call.func.value)
        if isinstance(holder, ast.Call) and look.origin(holder.func).startswith("hashlib."):
            return "hashed"
    return ""


def _of_keyword(look: Look, keyword: ast.keyword) -> str:
    """Whether it is sent away as a whole: `put(url, data=…)`, `put_object(Body=…)`."""
    call = look.module.above.get(keyword)
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return ""
    if keyword.arg == "Body" and call.func.attr in {"put_object", "put", "upload_part"}:
        return "sent"
    if keyword.arg in {"data", "content"} and call.func.attr in {"put", "post"}:
        if look.origin(call.func).startswith(("requests.", "httpx.")):
            return "sent"
        holder = look.value(call.func.value)
        return "sent" if holder is not None and holder.kind in {"http.session", "aio.session"} else ""
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


def _confidence(look: Look, node: ast.expr, use: _Use, holder: Value) -> Confidence:
    """Sure where a loop stands around it; a doubt where it is used again, or where names say that a person wrote the file."""
    if not use.how or short.is_of_settings(look, node, holder):
        return Confidence.MAYBE
    if use.how == "hashed" and holder.kind in {"file", "path", "path.entry"} and short.is_of_a_tag(look, node, holder):
        return Confidence.MAYBE
    if short.is_standard_input(look, node) and (use.how != "parts" or not _is_looped(look, use.place)):
        return Confidence.MAYBE
    if use.how == "archive" and (_is_of_any_file(holder) or short.is_of_set_up(look, node)):
        return Confidence.MAYBE
    if use.how == "copied" and short.is_of_an_installer(look, node):
        return Confidence.MAYBE
    if use.how == "records":
        return Confidence.MAYBE if use.is_shared else Confidence.LIKELY
    if use.how != "parts":
        return Confidence.MAYBE if short.is_pinned(look, node) else Confidence.LIKELY
    if holder.kind == "http.answer":
        return Confidence.MAYBE  # figures, lists of names: short answers, more often than not
    if use.is_shared or short.is_of_assignments(look, use.place):
        return Confidence.MAYBE
    if use.named and not _is_of_records(look, node, use, holder):
        return Confidence.MAYBE  # a name in between: lines of a vocabulary, of settings, that are kept in any case
    if (
        not use.named
        and isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "readlines"
    ):
        return Confidence.SURE
    return Confidence.LIKELY if _is_looped(look, use.place) else Confidence.MAYBE


def _is_of_records(look: Look, node: ast.expr, use: _Use, holder: Value) -> bool:
    """Whether its lines are data: names say so, or the loop takes records out of them, counts them, or hands them on."""
    if holder.kind == "boto.object":
        return True
    around = [
        each.name
        for each in look.module.parents(node)
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    if lengths.is_of_data(look, holder):
        return True
    opened = [ast.unparse(each) for each in (holder.call.args[:1] if holder.call is not None else [])]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        opened.append(ast.unparse(node.func.value))
    if any(map(wording.is_of_lines, opened)) or any(map(wording.is_of_lines_read, around)):
        return True
    loop = next((each for each in look.module.parents(use.place) if isinstance(each, ast.For | ast.AsyncFor)), None)
    if loop is None:
        return False
    match loop.body:
        case [ast.If(body=[ast.AugAssign(value=ast.Constant())], orelse=[])]:
            return True  # they are counted
    return any(_is_of_a_record(look, each) for line in loop.body for each in ast.walk(line))


def _is_of_a_record(look: Look, node: ast.AST) -> bool:
    match node:
        case ast.Yield():
            return True
        case ast.Call(func=ast.Attribute(attr="split"), args=[ast.Constant(value="\t" | "," | "|" | ";")]):
            return True
        case ast.Call(func=ast.Attribute(attr=verb)) if verb in SINKS:
            return True
        case ast.Call():
            return look.origin(node.func) in {"json.loads", "ast.literal_eval"}
    return False


def _is_of_any_file(holder: Value) -> bool:
    """Whether it is a file here whose name says nothing: what is packed by hand is short."""
    opened = holder.call.args[0] if holder.call is not None and holder.call.args else None
    return (
        holder.kind in {"file", "path", "path.entry"}
        and opened is not None
        and not wording.is_of_lines(ast.unparse(opened))
    )


def _is_looped(look: Look, place: ast.AST) -> bool:
    """Whether a loop goes over it whose results are not a list of all the same."""
    for above in look.module.parents(place):
        if isinstance(above, ast.GeneratorExp):
            call = look.module.above.get(above)
            return isinstance(call, ast.Call) and look.origin(call.func) in REDUCED
        if isinstance(above, ast.stmt | ast.ListComp | ast.SetComp | ast.DictComp):
            return isinstance(above, ast.For | ast.AsyncFor)
    return False


RULE = Rule("FW102", "read-whole", "A stream is read whole, and then taken apart, copied or hashed.", _check)
