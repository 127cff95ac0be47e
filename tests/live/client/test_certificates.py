"""TLS of the clients: one context for statements and live queries; what does not hold ends at once, and says what to do."""

import asyncio
import ssl
import time

import pytest
from cryptography import x509

import flatwater as fw
from flatwater import errors
from flatwater.live.client import certificates

AT_ONCE_S = 40  # not the tries that have no end


@pytest.fixture
def pair(certificate_of, tmp_path):
    return certificate_of(tmp_path / "good")


@pytest.fixture
def secure(database, pair):
    with database.serve(port=0, tls=pair) as server:
        yield server


@pytest.fixture
def patient(monkeypatch):
    """What is tried again is tried without end."""
    monkeypatch.setattr("flatwater.limits.CLIENT_TRIES", 1_000_000)


def follows(client):
    with client.subscribe("SELECT * FROM notes") as reader:
        return reader.poll(20).op


def ended_soon(act, kind=errors.BrokenError):
    """The error it ends with, before a client would have tried again for long."""
    begin = time.monotonic()
    with pytest.raises(kind) as raised:
        act()
    assert time.monotonic() - begin < AT_ONCE_S
    return raised.value


@pytest.mark.parametrize("how", ["file", "folder", "context"])
def test_an_own_authority(secure, pair, client_of, tmp_path, how):
    """Its file, its folder or a context is believed by statements and by live queries."""
    verify = {
        "file": lambda: pair[0],
        "folder": lambda: folder_of(pair[0], tmp_path),
        "context": lambda: ssl.create_default_context(cafile=pair[0]),
    }[how]()
    client = client_of(secure.url, token=secure.token("ada"), verify=verify)
    client.sql("INSERT INTO notes VALUES (1, 'a')")
    assert list(client.sql("SELECT body FROM notes")) == [{"body": "a"}]
    assert follows(client) == "snapshot"


def folder_of(certificate, tmp_path):
    """A folder in which OpenSSL finds it by its hash."""
    import hashlib

    folder = tmp_path / "authorities"
    folder.mkdir()
    with open(certificate, "rb") as file:
        data = file.read()
    subject = x509.load_pem_x509_certificate(data).subject
    digest = hashlib.sha1(_canonical(subject), usedforsecurity=False).digest()[:4]
    (folder / f"{int.from_bytes(digest, 'little'):08x}.0").write_bytes(data)
    return str(folder)


def _canonical(_subject):
    """The form in which OpenSSL hashes the name CN=test: lower case, UTF8String, without the outer sequence."""
    value = b"\x0c\x04test"
    attribute = b"\x30" + bytes([5 + len(value)]) + b"\x06\x03\x55\x04\x03" + value
    return b"\x31" + bytes([len(attribute)]) + attribute


def test_coroutines(secure, pair):
    """It is the same for the client of coroutines."""
    asyncio.run(in_coroutines(secure, pair))


async def in_coroutines(secure, pair):
    async with fw.AsyncClient(secure.url, token=secure.token("ada"), verify=pair[0]) as client:
        await client.sql("INSERT INTO notes VALUES (1, 'a')")
        async for event in await client.subscribe("SELECT * FROM notes"):
            assert event.op == "snapshot"
            break


def test_any_certificate(secure, client_of):
    """False believes whoever answers: for tries, as its docstring says."""
    client = client_of(secure.url, token=secure.token("ada"), verify=False)
    client.sql("INSERT INTO notes VALUES (1, 'a')")
    assert follows(client) == "snapshot"


@pytest.mark.parametrize("act", ["sql", "follow"])
@pytest.mark.parametrize("what", ["unknown", "name", "expired"])
def test_what_does_not_hold(database, client_of, certificate_of, tmp_path, patient, act, what):
    """An authority that nobody knows, another name, a time that has passed: told at once, with what to do."""
    pair = certificate_of(
        tmp_path / what, names=["127.0.0.9"] if what == "name" else ["127.0.0.1"], days=-1 if what == "expired" else 1
    )
    with database.serve(port=0, tls=pair) as server:
        client = client_of(server.url, token=server.token("ada"), verify=True if what == "unknown" else pair[0])
        error = ended_soon(lambda: list(client.sql("SELECT 1")) if act == "sql" else follows(client))
    assert "certificate" in str(error)
    assert {"unknown": "self", "name": "127.0.0.1", "expired": "expired"}[what] in str(error)
    assert "--ca-file" in error.hint


@pytest.mark.parametrize("act", ["sql", "follow"])
def test_no_tls_at_the_port(served, client_of, patient, act):
    """A server without TLS is told from one that is not there."""
    client = client_of(served.url.replace("http", "https", 1), token=served.token(), verify=False)
    error = ended_soon(lambda: list(client.sql("SELECT 1")) if act == "sql" else follows(client))
    assert "TLS" in str(error)
    assert "http://" in error.hint


def test_tls_where_none_is_expected(secure, client_of, quick):
    """Who speaks to it without TLS is asked whether it wants https."""
    client = client_of(secure.url.replace("https", "http", 1), token=secure.token("ada"))
    with pytest.raises(errors.BrokenError) as raised:
        list(client.sql("SELECT 1"))
    assert "https" in raised.value.hint


def test_no_certificates(tmp_path):
    """A path where nothing is, a file that is none, and something else are refused where the client is made."""
    (tmp_path / "text.pem").write_text("words")
    for verify in (str(tmp_path / "nowhere.pem"), tmp_path / "text.pem", 5):
        with pytest.raises(errors.UsageError, match="verify=") as raised:
            fw.Client("https://127.0.0.1:1", token="t", verify=verify)
        assert "PEM" in raised.value.hint


def test_a_context_as_it_is():
    """It is not copied; that of the system checks names and certificates."""
    context = ssl.create_default_context()
    assert certificates.context_of(context) is context
    assert certificates.context_of(True).check_hostname
    assert certificates.context_of(True).verify_mode is ssl.CERT_REQUIRED


def test_other_errors():
    """Nothing is said of what may be otherwise next time."""
    assert certificates.refused(ConnectionResetError("gone")) is None
    assert certificates.refused(ssl.SSLError(1, "odd")) is None
