"""`flatwater serve`: live tables behind a port, within a budget, until it is ended.

Covers:     options, what is said at the start, ending; `--smoke`.
Not here:   the server (`live.serving`), the shell (`cli.sql`).
Holds:      what a served database holds.
"""

from __future__ import annotations

import contextlib
import tempfile
from typing import Any

import click

from flatwater import errors, limits, units
from flatwater.cli import main
from flatwater.cli.leaving import leaving_on_signals
from flatwater.cli.options import BytesType, budget_of


@click.command("serve")
@click.argument("path", required=False)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to serve at; 0.0.0.0 for every one.")
@click.option("--port", default=limits.SERVE_PORT, show_default=True, help="The port; 0 takes a free one.")
@click.option("--budget", "-b", type=BytesType(), metavar="SIZE", help="All that it may hold, such as 256MiB.")
@click.option(
    "--sql-pool", type=BytesType(units.MIB, "an engine needs"), metavar="SIZE", help="For joins and sorting; 64MiB."
)
@click.option(
    "--log-bytes",
    type=BytesType(units.KIB, "a log has"),
    metavar="SIZE",
    help="Of changes kept for slow clients; 64MiB.",
)
@click.option("--tls-cert", type=click.Path(dir_okay=False), metavar="FILE", help="A certificate with its chain, PEM.")
@click.option("--tls-key", type=click.Path(dir_okay=False), metavar="FILE", help="Its key, PEM.")
@click.option("--host-name", "hosts", multiple=True, metavar="NAME", help="A name that clients call it by; repeat it.")
@click.option("--origin", "origins", multiple=True, metavar="URL", help="Pages from there may connect; repeat it.")
@click.option(
    "--proxy", "proxies", multiple=True, metavar="ADDRESS", help="A reverse proxy that says where clients are."
)
@click.option("--smoke", is_flag=True, help="Serve a database of its own for a moment, try everything, and tell.")
@click.pass_context
def command(ctx: click.Context, /, path: str | None, *, smoke: bool, **flags: Any) -> None:
    """Serve the live tables of the directory PATH: SQL by HTTP, live queries by WebSocket, a console for browsers.

    It is made where it does not exist. Only this machine reaches it, unless --host says otherwise; whoever asks needs a token. While
    nobody has a password, each start prints a token that holds for one log-in, as `admin`.

    Exit code 130: it was ended by Ctrl-C; 143: by SIGTERM. 0: --smoke found everything working. 1: --smoke found something, or the
    budget is too small. 2: wrong use. 4: the port is taken, or the disk fails.

    \b
    Examples:
      flatwater serve data/
      flatwater serve data/ --budget 256MiB --host 0.0.0.0 --tls-cert chain.pem --tls-key key.pem
      flatwater serve --smoke
    """  # noqa: D301 - click reads the backspace as "keep these lines"
    if (flags["tls_cert"] is None) != (flags["tls_key"] is None):
        raise click.UsageError("--tls-cert and --tls-key go together.")
    if path is None and not smoke:
        raise click.UsageError("name a directory, such as: flatwater serve data/")
    with contextlib.ExitStack() as opened:
        opened.enter_context(leaving_on_signals(ctx))
        opened.enter_context(budget_of(flags["budget"], "serve"))
        if smoke:
            if path is not None:
                raise click.UsageError("--smoke serves a database of its own: leave PATH away.")
            ctx.exit(_smoke(opened.enter_context(tempfile.TemporaryDirectory(prefix="flatwater-smoke-"))))
        assert path is not None
        _serve(opened, path, flags)


def _serve(opened: contextlib.ExitStack, path: str, flags: dict[str, Any]) -> None:
    try:
        from flatwater.live.database import Database
    except ModuleNotFoundError as error:
        raise errors.MissingExtra("serve", error.name or "a library") from error
    _raise_files()
    given = {name: flags[name] for name in ("sql_pool", "log_bytes") if flags[name] is not None}
    database = opened.enter_context(Database(path, **given))
    tls = None if flags["tls_cert"] is None else (flags["tls_cert"], flags["tls_key"])
    server = opened.enter_context(
        database.serve(
            flags["host"],
            flags["port"],
            tls=tls,
            hosts=flags["hosts"],
            origins=flags["origins"],
            proxies=flags["proxies"],
        )
    )
    if server.is_readable:
        main.say(
            "flatwater: this is not encrypted: others on the way can read passwords and tokens; --tls-cert encrypts it."
        )
    click.echo(f"{path} is served at {server.url} within {units.format_bytes(database.budget.limit)}; Ctrl-C ends it.")
    if server.one_time_token:
        click.echo(
            f"Nobody has a password yet. This page logs in as admin, once:\n  {server.url}/#token={server.one_time_token}\n"
            f"Then: ALTER USER admin PASSWORD '...', or CREATE USER ada WITH PASSWORD '...'."
        )
    server.wait()
    raise main.CommandError("the server ended by itself; its log says why.", exit_code=main.FAILED)


def _raise_files() -> None:
    """Have as many descriptors as the process may take: each connection is one."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = limits.SERVE_FILES_MAX if hard == resource.RLIM_INFINITY else min(hard, limits.SERVE_FILES_MAX)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _smoke(folder: str) -> int:
    from flatwater.live.serving.smoke import smoke

    worked = True
    for check in smoke(folder):
        click.echo(f"{'ok  ' if check.works else 'FAIL'}  {check.name}{'' if check.works else ': ' + check.why}")
        worked = worked and check.works
    click.echo("everything works" if worked else "something does not work")
    return main.HOLDS if worked else main.DOES_NOT_HOLD
