"""Which of 10,000 live queries a changed row concerns: by the index, and by asking each of them.

Of the conditions, 70 % are an equality, 15 % an equality and more, 10 % two equalities of which one is enough, 3 % a range, 2 %
a pattern; about 42 % are distinct. `every predicate` asks all 10,000 one by one, as functions that are made of the same conditions.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.case import Bar, Case, Run
from benchmarks.outcome import Outcome

INDEX, EQUALITIES, NAIVE = "index", "index, equalities only", "every predicate"
ROWS, NAIVE_ROWS, USERS_SHARE = 2_000, 100, 0.15
FORMS = (
    (0.70, "user_id = ?"), (0.85, "user_id = ? AND level > ?"), (0.95, "user_id = ? OR user_id = ?"), (0.98, "amount > ?"), (1.0, "name LIKE ?"),
)  # fmt: skip


def figure(name: str, contestant: str) -> Callable[[Outcome], float]:
    """One of a contestant."""
    return lambda outcome: outcome.figure(contestant, name)


case = Case(
    "A changed row and 10,000 live queries.",
    size=10_000, tiny=200, unit="ms",
    figures={"row_us": "CPU us a row", "matched": "matches a row", "distinct": "distinct"},
    bars=(
        Bar("at most 200 us of CPU for a changed row", 200, "us", figure("row_us", INDEX)),
        Bar("at most 50 us with equalities only", 50, "us", figure("row_us", EQUALITIES)),
        Bar("at most a thirtieth of asking all", 1 / 30, "x", lambda outcome: outcome.figure(INDEX, "row_us") / outcome.figure(NAIVE, "row_us")),
    ),
)  # fmt: skip


def users(size: int) -> int:
    """Who have rows."""
    return max(1, int(size * USERS_SHARE))


def rows(size: int) -> list[dict[str, Any]]:
    """That are inserted."""
    chance = random.Random(3)
    return [
        {"id": number, "user_id": chance.randrange(users(size)), "level": chance.randrange(10), "amount": chance.random() * 1_000, "name": f"n{number}"}
        for number in range(ROWS)
    ]  # fmt: skip


def predicates(size: int, forms: Sequence[tuple[float, str]]) -> list[Any]:
    """So many; some of them are the same."""
    from flatwater.live.conditions import condition_of
    from flatwater.live.schema import SHARED, Column, Schema
    from flatwater.live.statements import understood
    from flatwater.live.types import Type

    kinds = {"id": "BIGINT", "user_id": "BIGINT", "level": "INT", "amount": "DOUBLE", "name": "TEXT"}
    schema = Schema(1, "app", "events", SHARED, [Column(name, Type(kind)) for name, kind in kinds.items()], ["id"])
    chance = random.Random(4)
    conditions = {form: understood(f"SELECT 1 WHERE {form}").tree.args["where"].this for _, form in forms}

    def made() -> Any:
        turn = chance.random()
        form = next(form for share, form in forms if turn <= share)
        values: tuple[Any, ...] = (chance.randrange(users(size)),)
        if "level" in form:
            values += (chance.randrange(10),)
        elif "OR" in form:
            values += (chance.randrange(users(size)),)
        elif "amount" in form:
            values = (float(chance.randrange(700, 1_000)),)
        elif "LIKE" in form:
            values = (f"n{chance.randrange(100)}%",)
        return condition_of(conditions[form], schema, values).predicate

    return [made() for _ in range(size)]


def timed(match: Callable[[Any], int], changed: Sequence[Any], distinct: int) -> dict[str, float]:
    """Each row once."""
    begin_s = time.process_time()
    matched = sum(map(match, changed))
    row_us = (time.process_time() - begin_s) / len(changed) * 1e6
    return {"row_us": row_us, "matched": matched / len(changed), "distinct": distinct}


def indexed(size: int, forms: Sequence[tuple[float, str]]) -> Run:
    """By the index; all of it is asked once before, beside the functions themselves."""
    from flatwater.live.matching import Groups

    groups, all_of = Groups(), predicates(size, forms)
    numbers = [groups.add(1, "", each) for each in all_of]
    changed = rows(size)
    for row in changed[:NAIVE_ROWS]:
        expected = {number for number, each in zip(numbers, all_of, strict=True) if each.matches(row)}
        assert {number for number, _ in groups.match(1, "", None, row)} == expected
    return lambda: timed(lambda row: len(groups.match(1, "", None, row)), changed, len(groups))


@case.contestant(INDEX, needs=("sqlglot",))
def by_index(size: int) -> Run:
    return indexed(size, FORMS)


@case.contestant(EQUALITIES, needs=("sqlglot",))
def by_equalities(size: int) -> Run:
    return indexed(size, ((1.0, "user_id = ?"),))


@case.contestant(NAIVE, needs=("sqlglot",))
def by_every_predicate(size: int) -> Run:
    all_of = predicates(size, FORMS)
    functions = [(each.form.evaluate, each.values) for each in all_of]

    def match(row: Any) -> int:
        return sum([evaluate(row, values) is True for evaluate, values in functions])

    return lambda: timed(match, rows(size)[:NAIVE_ROWS], len(set(all_of)))
