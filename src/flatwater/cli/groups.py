"""Groups of commands.

Covers:     a group whose help lists its commands in the order they were added.
Not here:   the commands; the group of all (`cli.main`).
Holds:      nothing.
"""

from __future__ import annotations

import click


class InOrder(click.Group):
    """A group that lists its commands in the order people need them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names, as they were added."""
        return list(self.commands)
