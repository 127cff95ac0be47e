"""Errors that a server has."""

import subprocess
import sys

from flatwater import errors
from flatwater.live import Conflict
from flatwater.live.refusals import Conflict as Same
from flatwater.live.refusals import TooManyAttempts, Unauthenticated


def test_they_are_ours():
    """Both are errors of the house, with what to do; too many attempts say when to come again."""
    assert isinstance(Unauthenticated("x"), errors.FlatwaterError)
    error = TooManyAttempts("log-ins failed too often.", retry_s=4, hint="Later.")
    assert isinstance(error, errors.LimitReached)
    assert (error.retry_s, error.what, str(error)) == (4, "log-ins", "log-ins failed too often. Later.")


def test_they_are_the_same_everywhere():
    """The public name is this class; who is not known has a code and a status."""
    assert Conflict is Same
    assert (Unauthenticated.code, Unauthenticated.status) == ("unauthenticated", 401)


def test_a_client_needs_no_database():
    """Clients are imported without the libraries of a database or of a server."""
    program = (
        "import sys, flatwater as fw; fw.Client, fw.AsyncClient; import flatwater.live.client.subscription;"
        "import flatwater.live.client.hub;"
        "assert not {'sqlglot', 'lmdb', 'jwt', 'datafusion', 'pyarrow', 'uvicorn', 'starlette'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
