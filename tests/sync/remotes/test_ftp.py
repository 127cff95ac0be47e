"""A folder of an FTP server as a remote."""

from __future__ import annotations

import pytest
from contract import Contract
from ftp_server import Rules

from flatwater.sync.remotes.ftp import Ftp

VSFTPD = ("MLSD", "MLST", "MFMT")  # what it has not


class TestPlain(Contract):
    """What every remote does, over FTP."""

    @pytest.fixture
    def remote(self, ftp_server):
        with Ftp.from_url(ftp_server().url(), {"timeout_s": "5"}) as remote:
            yield remote


class TestSecure(Contract):
    """The same over FTPS."""

    @pytest.fixture
    def remote(self, ftp_server, ftp_certificate):
        server = ftp_server(certificate=ftp_certificate)
        with Ftp.from_url(server.url(scheme="ftps"), {"timeout_s": "5", "ca_file": ftp_certificate}) as remote:
            yield remote


class TestNamesOnly(Contract):
    """The same with a server that has no MLSD, no MLST and no MFMT."""

    @pytest.fixture
    def remote(self, ftp_server):
        with Ftp.from_url(ftp_server(Rules(VSFTPD)).url(), {"timeout_s": "5"}) as remote:
            yield remote
