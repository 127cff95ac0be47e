"""Calls that give a value and do nothing else: the table that `effects` reads.

Covers:     built-ins, functions of the standard library, methods of texts, lists, dicts and paths; what is new, what is written down.
Not here:   what a loop does with them (`effects`).
Holds:      the tables.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from flatwater.lint.rule import Look

# Of one value each; their arguments are not gone over.
ONE_VALUE = frozenset({
    "len", "int", "float", "str", "bytes", "bool", "abs", "round", "ord", "chr", "repr", "ascii", "hex", "oct", "bin", "isinstance", "divmod",
    "complex", "decimal.Decimal", "fractions.Fraction", "str.lower", "str.upper", "str.casefold", "str.strip",
})  # fmt: skip
# They go over what they get.
ITERATING = frozenset(
    {"sum", "min", "max", "any", "all", "sorted", "enumerate", "zip", "reversed", "range", "math.fsum"}
)
MAKERS = frozenset({
    "list", "dict", "set", "tuple", "frozenset", "bytearray", "collections.Counter", "collections.defaultdict", "collections.OrderedDict", "collections.deque",
})  # fmt: skip
FUNCTIONS = frozenset({
    "json.loads", "ast.literal_eval", "re.match", "re.search", "re.fullmatch", "re.split", "re.findall", "re.sub", "re.escape", "shlex.split",
    "os.path.join", "os.path.basename", "os.path.dirname", "os.path.splitext", "os.path.normpath", "os.path.split", "html.unescape", "html.escape",
    "base64.b64decode", "base64.b64encode", "binascii.hexlify", "binascii.unhexlify", "bytes.fromhex", "int.from_bytes", "float.fromhex",
    "math.floor", "math.ceil", "math.sqrt", "math.log", "math.log10", "math.exp", "math.isnan", "datetime.datetime.strptime",
    "datetime.datetime.fromisoformat", "datetime.date.fromisoformat", "datetime.datetime.fromtimestamp", "urllib.parse.unquote",
    "urllib.parse.quote", "urllib.parse.urlparse", "urllib.parse.urlsplit", "urllib.parse.parse_qs", "unicodedata.normalize", "struct.unpack",
    "textwrap.dedent", "uuid.UUID", "ipaddress.ip_address", "ipaddress.ip_network",
})  # fmt: skip
# Methods of what nobody else has.
METHODS = frozenset({
    "strip", "lstrip", "rstrip", "split", "rsplit", "splitlines", "lower", "upper", "casefold", "title", "capitalize", "swapcase", "startswith",
    "endswith", "find", "rfind", "index", "rindex", "count", "replace", "partition", "rpartition", "join", "format", "encode", "decode", "zfill",
    "ljust", "rjust", "center", "isdigit", "isalpha", "isspace", "isupper", "islower", "isnumeric", "isalnum", "isdecimal", "isidentifier",
    "removeprefix", "removesuffix", "translate", "expandtabs", "hex", "get", "keys", "values", "items", "copy", "group", "groups", "groupdict",
    "start", "end", "span", "most_common", "union", "intersection", "difference", "is_integer", "date", "time", "timestamp", "isoformat", "year",
})  # fmt: skip
FILLING_WITH_ALL = frozenset({"extend", "extendleft", "update"})
FILLING = FILLING_WITH_ALL | {"append", "appendleft", "add", "insert", "setdefault", "discard", "remove", "pop", "popleft", "popitem", "clear", "sort", "reverse"}  # fmt: skip
PATTERN_METHODS = frozenset({"match", "search", "fullmatch", "split", "findall", "finditer"})
PATH_TEXTS = frozenset({"name", "stem", "suffix", "suffixes", "parts", "path"})
PATH_PARTS = PATH_TEXTS | {"parent"}
PATH_METHODS = frozenset({"is_file", "is_dir", "is_symlink", "exists", "as_posix", "stat"})
STATUS = frozenset({"st_size", "st_mtime", "st_ctime", "st_mtime_ns", "st_mode", "st_ino"})
# What no value of a database can make fail.
NEVER_FAILING = frozenset({"str", "repr", "bool", "append", "add", "discard", "isinstance"})


def is_new(look: Look, node: ast.expr) -> bool:
    """Whether it is empty and new, or a value that cannot change."""
    match node:
        case ast.Constant():
            return True
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return all(is_new(look, each) for each in parts)
        case ast.Dict(keys=keys, values=values):
            return all(each is not None and is_new(look, each) for each in keys) and all(
                is_new(look, each) for each in values
            )
        case ast.UnaryOp(operand=ast.Constant()):
            return True
        case ast.Call(func=func, args=args, keywords=[]):
            return look.origin(func) in MAKERS and all(look.origin(each) in MAKERS | ONE_VALUE for each in args)
    return False


def is_literal(look: Look, node: ast.expr) -> bool:
    """Whether a name stands for a collection that is written down: a look at it changes nothing."""
    resolved = look.values.resolved(node)
    return isinstance(resolved, ast.Dict | ast.List | ast.Tuple | ast.Set | ast.Constant)


def is_pattern(look: Look, node: ast.Name) -> bool:
    """Whether a name stands for a compiled pattern."""
    resolved = look.values.resolved(node)
    return isinstance(resolved, ast.Call) and look.origin(resolved.func) == "re.compile"


def is_status(is_path: Callable[[ast.expr], bool], node: ast.expr) -> bool:
    """Whether it is a figure of a path's status, such as `path.stat().st_size`."""
    match node:
        case ast.Attribute(value=ast.Call(func=ast.Attribute(value=held, attr="stat")), attr=name):
            return name in STATUS and is_path(held)
    return False


def is_counted(op: ast.operator, value: ast.expr) -> bool:
    """Whether it is `+= 1` and the like, which nothing can make fail."""
    return isinstance(op, ast.Add | ast.Sub) and isinstance(value, ast.Constant) and type(value.value) is int
