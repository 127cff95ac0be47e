"""What a fluent builder costs beside the keyword construction of a dataclass, and what its objects weigh."""

from __future__ import annotations

from benchmarks.build.shapes import SlotsUser, StructUser, by_keyword, bytes_per_object, fluently, reused, timed
from benchmarks.case import Bar, Case, Run

KEYWORDS = "slots dataclass, keywords"
STRUCT, SLOTS = "builder, Struct", "builder, slots dataclass"
CHECKED = "builder, Struct, validated"
BYTES_MAX = {STRUCT: 60, SLOTS: 80, CHECKED: 120}  # the seed's figures for interface, class and validation

case = Case(
    "Five setters and build, beside the keyword construction of a slots dataclass. Bytes are those of an object without "
    "its values, by tracemalloc.",
    size=100_000,
    tiny=100,
    per="object",
    unit="us",
    figures={"build_ns": "ns each", "object_bytes": "bytes each"},
    rounds_per_repeat=3,
    bars=(
        Bar("five setters and build of a Struct cost at most 0.9x a dataclass's keywords", 0.9, "x",
            lambda outcome: outcome.ratio(STRUCT)),
        Bar("the same on one reused builder", 0.9, "x", lambda outcome: outcome.ratio(f"{STRUCT}, reused")),
        Bar("five setters and build of a slots dataclass cost at most 1.2x its keywords", 1.2, "x",
            lambda outcome: outcome.ratio(SLOTS)),
        *(
            Bar(f"an object of '{name}' takes at most {limit} bytes", limit, "bytes",
                lambda outcome, name=name: outcome.figure(name, "object_bytes"))
            for name, limit in BYTES_MAX.items()
        ),
    ),
)  # fmt: skip


def contestant(name: str, kind: str) -> None:
    """One way, by what `ways` calls it."""

    @case.contestant(name)
    def setup(size: int) -> Run:
        make, one = ways(kind)
        run = timed(make, size)
        weight = bytes_per_object(one)
        return lambda: {**(run() or {}), "object_bytes": weight}


def ways(kind: str):  # noqa: ANN201 - two functions, of a count and of nothing
    """How many objects are made, and how one is, for the bytes."""
    import flatwater.build as fb

    shape = SlotsUser if "slots" in kind else StructUser
    values = {"id": 1, "name": "John", "email": "john@example.org", "age": 30, "score": 1.5}
    if "keywords" in kind:
        return by_keyword(shape), lambda: shape(**values)
    factory = fb.builder(shape, validate="checked" in kind, pooled="pooled" in kind)
    one = factory.create()
    for field, value in values.items():
        one.set(field, value)
    if "make" in kind:
        return by_keyword(factory.make), lambda: factory.make(**values)
    if "bare" in kind:
        return out_of_a_list(factory.create), lambda: factory.make(**values)
    if "pooled" in kind:
        return fluently(factory.create), lambda: factory.make(**values)
    return (reused if "reused" in kind else fluently)(factory.create), one.build


def out_of_a_list(create):  # noqa: ANN001, ANN201 - as above
    """The least that a pool could be: a list, without a bound, a lock or emptying; values leak into the next object."""
    idle = [create()]

    def make(size: int) -> None:
        for number in range(size):
            user = idle.pop() if idle else create()
            user.with_id(number).with_name("John").with_email("john@example.org").with_age(30).with_score(1.5).build()
            idle.append(user)

    return make


contestant(KEYWORDS, "slots keywords")
contestant("Struct, keywords", "keywords")
contestant(STRUCT, "fluent")
contestant(f"{STRUCT}, reused", "reused")
contestant(f"{STRUCT}, pooled", "pooled")
contestant(f"{STRUCT}, a bare list as pool", "bare")
contestant(f"{STRUCT}, make", "make")
contestant(SLOTS, "slots fluent")
contestant(f"{SLOTS}, reused", "slots reused")
contestant(CHECKED, "checked")
contestant(f"{CHECKED}, reused", "checked reused")
