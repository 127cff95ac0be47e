"""FW301: a cache on a method keeps each object that it was called on.

Covers:     `functools.cache` and `lru_cache` on methods, as decorators and as calls in a class body; `cached` of `cachetools` without a key of its own.
Not here:   static methods, and class methods (their class lives anyway); caches that belong to one object.
Holds:      nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flatwater.lint import wording
from flatwater.lint.finding import Confidence
from flatwater.lint.memos import ENUMS, OF_A_DICT, FunctionDef, asked, is_cache, is_unbounded, made
from flatwater.lint.rule import Found, Look, Rule
from flatwater.lint.scopes import Binding

__all__ = ["RULE", "is_cache"]  # others ask what a cache is
DATA = frozenset({"dataclasses.dataclass", "attr.s", "attrs.define", "attr.define", "attrs.frozen"})
ONE_FOR_A_RUN = ("Command", "Config", "Settings", "Mixin", "Dialect", "Singleton", "Plugin", "Application", "App")
ONE_OF_A_KIND = (
    "Service",
    "Client",
    "Manager",
    "Api",
    "API",
    "Loader",
    "Reader",
    "Writer",
    "Handler",
    "Provider",
    "Resolver",
    "Config",
    "Settings",
)
OF_ITS_OWN = 128  # what `lru_cache` keeps where nobody says how many
HELD = (
    "db.",
    "pg.async",
    "sa.session",
    "sa.connection",
)  # kinds of which an object has one for itself, whoever made it
OPENED = ("file", "frame", "http.session", "aio.session", "sa.engine", "parquet", "workbook", "zip", "tar")
RESOURCES = frozenset(
    {"connect", "connection", "database", "dataframe", "dataset", "repo", "repository", "session", "workbook"}
)
FRAMES = frozenset(
    {
        "numpy.ndarray",
        "numpy.typing.NDArray",
        "pandas.DataFrame",
        "pandas.Series",
        "polars.DataFrame",
        "polars.Series",
        "geopandas.GeoDataFrame",
        "pyarrow.Table",
        "xarray.Dataset",
        "xarray.DataArray",
        "torch.Tensor",
        "scipy.sparse.csr_matrix",
        "networkx.Graph",
        "networkx.DiGraph",
        "PIL.Image.Image",
    }
)
LISTS = frozenset({"list", "typing.List", "typing.Sequence", "collections.abc.Sequence"})
RECORDS = frozenset({"tuple", "typing.Tuple", "dict", "typing.Dict", "float", "list", "typing.List"})
HASHED = frozenset({"cachetools.keys.hashkey", "cachetools.keys.typedkey", "cachetools.hashkey"})
STATIC = frozenset({"staticmethod", "classmethod"})


def _check(look: Look) -> Iterator[Found]:
    for function in look.module.functions():
        owner = look.module.above.get(function)
        if not isinstance(owner, ast.ClassDef) or _is_single(look, owner) or function.name == "__new__":
            continue
        if any(look.origin(each) in STATIC for each in function.decorator_list) or _is_of_the_class(function, owner):
            continue
        for decorator in function.decorator_list:
            if _keeps_self(look, decorator):
                sure = _confidence(look, decorator, owner, function)
                is_said = "once" in function.name.lower()  # a warning, by an object that stays
                yield Found(
                    decorator, _said(look, function.name, decorator), Confidence.MAYBE if is_said else sure, function
                )
    for call in look.module.of(ast.Call):
        if isinstance(call.func, ast.Call) and is_cache(look, call.func) and call.args:
            statement = look.module.above.get(call)
            owner = look.module.above.get(statement) if statement else None
            if (
                isinstance(statement, ast.Assign)
                and isinstance(owner, ast.ClassDef)
                and isinstance(call.args[0], ast.Name)
            ):
                method = look.values.function(call.args[0])
                yield Found(call, _said(look, call.args[0].id, call.func), _confidence(look, call.func, owner, method))


def _keeps_self(look: Look, decorator: ast.expr) -> bool:
    """Whether it is a cache whose keys contain `self`: one of `cachetools` with a key of its own may leave it out."""
    cache = made(look, decorator)
    if not isinstance(cache, ast.Call) or look.origin(cache.func) not in OF_A_DICT:
        return is_cache(look, decorator)
    keys = [each.value for each in cache.keywords if each.arg == "key"] or cache.args[1:2]
    kept = _kept_in(look, cache)
    is_nothing = isinstance(kept, ast.Constant) and kept.value is None
    return all(look.origin(each) in HASHED for each in keys) and kept is not None and not is_nothing


def _kept_in(look: Look, cache: ast.Call) -> ast.expr | None:
    """The dict or the cache that `cached` of `cachetools` is given."""
    kept = [each.value for each in cache.keywords if each.arg == "cache"] or cache.args[:1]
    return look.values.resolved(kept[0]) if kept else None


def _said(look: Look, name: str, cache: ast.expr) -> str:
    how_long = "for as long as the class lives" if is_unbounded(look, cache) else "until other answers take its place"
    return f"the cache of `{name}` keeps each object that it is called on, {how_long}; use `cached_property`, or a cache that belongs to the object."


def _confidence(look: Look, cache: ast.expr, owner: ast.ClassDef, method: FunctionDef | None) -> Confidence:
    """Sure where it drops nothing, and objects are made again and again; a doubt where one object is made, or a bound keeps some only."""
    calls = [
        call
        for call in look.module.of(ast.Call)
        if isinstance(call.func, ast.Name) and call.func.id == owner.name and look.module.class_of(call) is not owner
    ]
    are_later = [look.module.function_of(call) is not None and not _is_factory(look, call) for call in calls]
    if are_later and not any(are_later):
        return Confidence.MAYBE  # at import, and never again
    is_endless = is_unbounded(look, cache)
    if is_endless and method is not None:
        arguments = [*method.args.posonlyargs, *method.args.args][1:]
        arguments += [*method.args.kwonlyargs, *[each for each in (method.args.vararg, method.args.kwarg) if each]]
        if arguments and asked(look, method, arguments) == Confidence.LIKELY:
            return Confidence.LIKELY  # with one object, too, it has an answer for each
    if any(isinstance(each, ast.Name | ast.Attribute) and _last(each).endswith(ONE_FOR_A_RUN) for each in owner.bases):
        return Confidence.MAYBE
    if look.values.models.is_table(owner):
        return Confidence.LIKELY  # one for each row that is read
    if _keeps_many(look, cache) and (_has_data(owner) or _holds_much(look, owner, method)):
        return Confidence.LIKELY
    if is_endless and _is_given_something(owner):
        return Confidence.LIKELY
    is_many = any(look.module.loops_of(call) for call in calls) or any(
        look.origin(each.func if isinstance(each, ast.Call) else each) in DATA for each in owner.decorator_list
    )
    if is_many and is_endless:
        return Confidence.SURE
    return Confidence.MAYBE  # nobody sees how many objects there are, or a bound keeps some only


def _has_data(owner: ast.ClassDef) -> bool:
    """Whether each object is made with data of its own, and keeps it: a document with its text."""
    if owner.name.endswith(ONE_OF_A_KIND):
        return False
    for method in owner.body:
        if not isinstance(method, ast.FunctionDef) or method.name != "__init__":
            continue
        given = {each.arg for each in [*method.args.posonlyargs, *method.args.args, *method.args.kwonlyargs]}
        return any(
            isinstance(each, ast.Assign)
            and isinstance(each.value, ast.Name)
            and each.value.id in given
            and wording.is_of_contents(each.value.id)
            and any(isinstance(one, ast.Attribute) for one in each.targets)
            for each in ast.walk(method)
        )
    return False


def _is_given_something(owner: ast.ClassDef) -> bool:
    """Whether each object is made of what it is given."""
    if owner.name.endswith(ONE_OF_A_KIND):
        return False
    for method in owner.body:
        if isinstance(method, ast.FunctionDef) and method.name == "__init__":
            return len([*method.args.posonlyargs, *method.args.args, *method.args.kwonlyargs]) > 1
    return False


def _holds_much(look: Look, owner: ast.ClassDef, cached: FunctionDef | None) -> bool:
    """Whether each object has a connection, a session, a repository or a frame of its own: made by it, or of that type.

    So is a list of records where the answer is made of nothing else; what is asked for more answers is mostly one of a few.
    """
    is_one = owner.name.endswith(ONE_OF_A_KIND)
    is_asked = cached is None or len([*cached.args.posonlyargs, *cached.args.args, *cached.args.kwonlyargs]) > 1
    is_record = any(
        look.origin(each.func if isinstance(each, ast.Call) else each) in DATA for each in owner.decorator_list
    )
    for bindings in look.values.selves(owner).values():
        for each in bindings:
            method = look.module.function_of(each.node)
            if getattr(method, "name", "") not in {"__init__", "__post_init__"} and not (is_record and method is None):
                continue
            if _is_held(look, each, is_one=is_one, is_asked=is_asked):
                return True
    return False


def _is_held(look: Look, binding: Binding, *, is_one: bool, is_asked: bool) -> bool:
    annotation, value = binding.annotation, binding.value
    if isinstance(value, ast.Name):
        given = look.module.scope_of(value).lookup(value.id)
        annotation = annotation or (given[0].annotation if len(given) == 1 else None)
    elif isinstance(value, ast.Call):
        kind = look.value(value)
        if kind is not None and kind.call is value and kind.confidence == Confidence.SURE:
            return kind.kind.startswith(HELD) or (not is_one and kind.kind.startswith(OPENED))
        origin = look.origin(value.func)
        words = {each.lower() for each in wording.PARTS.findall(origin.rpartition(".")[2])}
        return not is_one and "." in origin.strip(".") and bool(words & RESOURCES)
    if annotation is None:
        return False
    if isinstance(value, ast.Name) and (kind := look.value(value)) is not None and kind.kind.startswith(HELD):
        return True
    return not is_one and (_is_of_frames(look, annotation) or (not is_asked and _is_of_records(look, annotation)))


def _is_of_frames(look: Look, annotation: ast.expr) -> bool:
    return look.origin(annotation.value if isinstance(annotation, ast.Subscript) else annotation) in FRAMES


def _is_of_records(look: Look, annotation: ast.expr) -> bool:
    """Whether a type is that of a list of records or figures."""
    if not isinstance(annotation, ast.Subscript) or look.origin(annotation.value) not in LISTS:
        return False
    inner = annotation.slice
    return look.origin(inner.value if isinstance(inner, ast.Subscript) else inner) in RECORDS


def _keeps_many(look: Look, cache: ast.expr) -> bool:
    """Whether a cache keeps as many as it was asked for, or more than a few."""
    cache = made(look, cache)
    if isinstance(cache, ast.Call) and look.origin(cache.func) in OF_A_DICT:
        cache = _kept_in(look, cache) or cache
        if isinstance(cache, ast.Call) and look.origin(cache.func).endswith(".TTLCache"):
            return False  # for a time
    sizes = []
    if isinstance(cache, ast.Call):
        sizes = [each.value for each in cache.keywords if each.arg == "maxsize"] or cache.args[:1]
    return not (
        sizes and isinstance(sizes[0], ast.Constant) and isinstance(sizes[0].value, int) and sizes[0].value < OF_ITS_OWN
    )


def _is_factory(look: Look, call: ast.Call) -> bool:
    """Whether a function gives back an object made from nothing: there is one in a run, more often than not."""
    return not call.args and not call.keywords and isinstance(look.module.above.get(call), ast.Return)


def _is_of_the_class(function: ast.FunctionDef | ast.AsyncFunctionDef, owner: ast.ClassDef) -> bool:
    """Whether the class body makes a class method or a static method of it by hand."""
    first = next(iter([*function.args.posonlyargs, *function.args.args]), None)
    if first is not None and first.arg == "cls" and function.name != "__new__":
        return True
    return any(
        isinstance(each, ast.Assign)
        and isinstance(each.value, ast.Call)
        and isinstance(each.value.func, ast.Name)
        and each.value.func.id in STATIC
        and any(isinstance(part, ast.Name) and part.id == function.name for part in each.value.args)
        for each in owner.body
    )


def _last(node: ast.Name | ast.Attribute) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr


def _is_single(look: Look, owner: ast.ClassDef) -> bool:
    """Whether the class's objects live as long as it does: an enum, or a metaclass."""
    return any(look.origin(each) in ENUMS | {"type"} for each in owner.bases)


RULE = Rule(
    "FW301", "cache-on-method", "A cache on a method keeps each object that it was called on.", _check, ("cache",)
)
