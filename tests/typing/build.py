"""What builders look like to a type checker; mypy reads this file, nothing runs it."""

from __future__ import annotations

import dataclasses
from typing import Any, assert_type

import msgspec

from flatwater.build import (
    BatchBuilder,
    Builder,
    Factory,
    InvalidError,
    Picker,
    PoolStats,
    builder,
    clear_pools,
    pick,
    pool_stats,
)  # fmt: skip


@dataclasses.dataclass
class User:
    name: str
    age: int = 3


class Row(msgspec.Struct):
    id: int


def check() -> None:
    """Every public name, as mypy sees it."""
    users = builder(User)
    assert_type(users, Factory[User])
    assert_type(users.make(name="Ann"), User)
    assert_type(users.create(), Builder[User])
    assert_type(users(), Builder[User])
    assert_type(
        users.create().with_name("Ann").with_age(4).build(), User
    )  # setters take anything: their names are not known
    assert_type(users.create().set("name", "Ann").reset().build(), User)
    assert_type(users.template(age=4), Factory[User])
    assert_type(users.fields, tuple[str, ...])
    assert_type(builder(Row, validate=True).make(id=1), Row)
    assert_type(builder(["id", "name"], pooled=True).make(id=1), dict[str, Any])
    assert_type(builder(["id"]).create().with_id(1).build(), dict[str, Any])

    with BatchBuilder(User, print, batch_bytes="8 MiB", as_="rows") as rows:
        rows.append(name="Ann")
        rows.add(User("Ann"))
        rows.row.with_name("Ann").push()
        assert_type(rows.flush(), int)
        assert_type(rows.bytes_max(), int)
        assert_type(rows.pending, int)

    take = pick(["id", "user.name"], missing="null")
    assert_type(take, Picker)
    assert_type(take.paths, tuple[str, ...])
    assert_type(pool_stats(), PoolStats)
    assert_type(pool_stats().objects, int)
    assert_type(clear_pools(), int)

    try:
        users.make(name=1)
    except InvalidError as error:
        assert_type(error.problems, tuple[tuple[str, str], ...])
