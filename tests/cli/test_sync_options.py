"""cli.sync_options: flags, a file of them, and which holds."""

from __future__ import annotations

import dataclasses

import click
import pytest

from flatwater.cli import sync as commands
from flatwater.cli import sync_options
from flatwater.sync.options import Options


def made(tmp_path, *words, name="apply"):
    """The sync that a command line describes."""
    command = commands.command.commands[name]
    with command.make_context(name, [str(word) for word in words]) as ctx:
        flags = dict(ctx.params)
        source, destination = flags.pop("source"), flags.pop("destination")
        return sync_options.made(ctx, source, destination, flags)


def test_flags_become_options(tmp_path):
    """Those that were not given keep their defaults."""
    sync = made(
        tmp_path, tmp_path / "a", tmp_path / "b", "--state", tmp_path / "st", "--include", "*.jpg", "--include", "*.png", "--exclude", "x/",
        "--workers", 3, "--bandwidth", "1MiB", "--max-delete", "5%", "--no-delete", "--no-rescan", "--check-destination", "--levels", 0,
        "--alert-growth", "20%",
    )  # fmt: skip
    assert sync.options == Options(
        workers=3, bandwidth=1 << 20, include=["*.jpg", "*.png"], exclude=["x/"], max_delete="5%", delete=False,
        rescan=False, check_destination=True, levels=0, alert_growth=0.2,
    )  # fmt: skip


def test_a_file_and_flags_that_win_over_it(tmp_path):
    """The file may also name the remotes and the state."""
    file = tmp_path / "mirror.toml"
    file.write_text(
        f'source = "{tmp_path}/a"\ndestination = "{tmp_path}/b"\nstate = "{tmp_path}/st"\nworkers = 2\ncompare = "size"\ndelete = false\n'
    )
    sync = made(tmp_path, "--config", file, "--workers", 5)
    assert (sync.source.url, sync.state) == (f"{tmp_path}/a", f"{tmp_path}/st")
    assert sync.options == Options(workers=5, compare="size", delete=False)
    sync = made(tmp_path, tmp_path / "c", "--config", file)
    assert sync.source.url == f"{tmp_path}/c"


def test_a_remote_is_missing(tmp_path):
    """It is said which, and where it may be given."""
    with pytest.raises(click.UsageError, match="there is no DST"):
        made(tmp_path, tmp_path)


def test_every_option_has_a_flag():
    """A user of the command line lacks none of Python's."""
    flags = {each.name for each in commands.command.commands["apply"].params}
    turned = {sync_options._TURNED.get(name, name) for name in flags}
    turned |= {"source_options", "destination_options"} if {"source_option", "destination_option"} <= flags else set()
    assert {each.name for each in dataclasses.fields(Options)} <= turned
