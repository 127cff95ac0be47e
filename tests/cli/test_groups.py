"""cli.groups: commands in order."""

from __future__ import annotations

import click

from flatwater.cli.groups import InOrder


def test_commands_are_listed_as_they_were_added():
    """Help shows first what is needed first, not what begins with an a."""
    group = InOrder("things")
    for name in ("plan", "apply", "audit"):
        group.add_command(click.Command(name))
    assert group.list_commands(click.Context(group)) == ["plan", "apply", "audit"]
