"""Which certificates a client believes: one context of TLS for its statements and its live queries.

Covers:     the system's authorities, one's own, none; what a handshake that failed means.
Not here:   sending (`client.client`), live queries (`client.hub`).
Holds:      a context: about 1 MB with the authorities of a system, a few KB with one's own.
"""

from __future__ import annotations

import os
import ssl
from typing import Any

from flatwater import errors

_CHAIN_MAX = 8  # exceptions that stand behind each other


def context_of(verify: Any) -> ssl.SSLContext:
    """What `verify` says.

    Args:
        verify: True for the authorities of the system, a path of PEM files of others, False for any certificate, or a context as it is.

    Raises:
        UsageError: there is no certificate at this path.
    """
    if isinstance(verify, ssl.SSLContext):
        return verify
    if verify is True:
        return _of_the_system()
    if verify is False:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        path = os.fspath(verify)
        folder = os.path.isdir(path)
        return ssl.create_default_context(cafile=None if folder else path, capath=path if folder else None)
    except (OSError, TypeError, ValueError) as error:  # an SSLError is an OSError
        why = (
            "it has no certificate"
            if isinstance(error, ssl.SSLError)
            else str(getattr(error, "strerror", "") or error).lower()
        )
        raise errors.UsageError(
            f"verify={verify!r:.80} cannot be used: {why:.100}.", hint="Pass a path of PEM files."
        ) from None


def _of_the_system() -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"] and not os.path.isdir(ssl.get_default_verify_paths().capath or ""):
        try:  # a Python without a store of its own
            import certifi
        except ImportError:
            return context
        context.load_verify_locations(certifi.where())
    return context


def refused(error: BaseException) -> errors.FlatwaterError | None:
    """What a handshake means that will fail again; None for any other error."""
    each: BaseException | None = error
    for _ in range(_CHAIN_MAX):
        if isinstance(each, ssl.SSLCertVerificationError):
            return errors.BrokenError(
                f"the server's certificate does not hold: {each.verify_message or each.reason!s:.150}.",
                hint="Is the address right? verify= (--ca-file) names the authority that signed it.",
            )
        if isinstance(each, ssl.SSLError) and getattr(each, "reason", None) in {
            "WRONG_VERSION_NUMBER",
            "RECORD_LAYER_FAILURE",
            "HTTP_REQUEST",
        }:
            return errors.BrokenError("there is no TLS at this port.", hint="Try http:// in place of https://.")
        if each is None:
            break
        each = each.__cause__ or each.__context__
    return None
