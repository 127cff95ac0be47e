"""Roles."""

import pytest

from flatwater.live.access import ROLES, AccessDenied, Actor, Limits
from flatwater.live.schema import SHARED, USER, Column, Schema
from flatwater.live.types import Type


def actor(role, name="me"):
    return Actor(name, role, Limits())


def table(kind, access="PRIVATE"):
    return Schema(1, "main", "t", kind, [Column("id", Type("INT"))], ["id"], access=access)


def may(call, *given):
    try:
        call(*given)
    except AccessDenied:
        return False
    return True


@pytest.mark.parametrize(
    ("kind", "access", "readers", "writers"),
    [(USER, "PRIVATE", ROLES, ROLES), (SHARED, "PUBLIC", ROLES, ROLES[1:]), (SHARED, "RESTRICTED", ROLES[1:], ROLES[1:]), (SHARED, "PRIVATE", ROLES[2:], ROLES[2:])],
)  # fmt: skip
def test_who_reads_and_writes(kind, access, readers, writers):
    """Everybody has his own rows; shared ones go by their level."""
    assert tuple(role for role in ROLES if may(actor(role).must_read, table(kind, access))) == tuple(readers)
    assert tuple(role for role in ROLES if may(actor(role).must_write, table(kind, access))) == tuple(writers)


def test_who_acts_as_whom():
    """Only as one of a lower role, from service on; as himself everybody; system as all."""
    allowed = {(a, b) for a in ROLES for b in ROLES if may(actor(a).must_act_as, b, "other")}
    assert allowed == {("service", "user"), ("dba", "user"), ("dba", "service"), *(("system", role) for role in ROLES)}
    assert may(actor("user").must_act_as, "user", "me")
    assert not may(actor("dba").must_rule, "dba", "me")
