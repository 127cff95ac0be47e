"""A database with a table of each kind."""

import datetime as dt
import ipaddress

import pytest

from flatwater.live.database import Database

NOTES = "CREATE TABLE notes (id BIGINT PRIMARY KEY, body TEXT, n INT DEFAULT 0) WITH (TYPE = 'USER')"
ROOMS = "CREATE TABLE rooms (id TEXT PRIMARY KEY, topic TEXT, size INT) WITH (TYPE = 'SHARED', ACCESS_LEVEL = 'PUBLIC')"
TYPING = "CREATE TABLE typing (who TEXT PRIMARY KEY) WITH (TYPE = 'STREAM', TTL_SECONDS = 5)"


@pytest.fixture
def db(tmp_path):
    """Open until the end of the test."""
    with Database(tmp_path / "data", sync="off") as database:
        for statement in (NOTES, ROOMS, TYPING):
            database.sql(statement)
        yield database


@pytest.fixture
def times(tmp_path):
    """A table of times, whose defaults are the time."""
    with Database(tmp_path / "times", sync="off") as db:
        db.sql(
            "CREATE TABLE t (id INT PRIMARY KEY, at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, day DATE DEFAULT CURRENT_DATE, n INT DEFAULT 7)"
        )
        db.sql("INSERT INTO t (id) VALUES (1)")
        db.sql("INSERT INTO t VALUES (2, now() + interval '1 day', current_date + 1, 0)")
        db.sql(
            "INSERT INTO t VALUES (3, current_timestamp - interval '2 hours', CAST(now() - interval '1 week' AS DATE), 0)"
        )
        yield db


@pytest.fixture(scope="session")
def certificate_of():
    """A function that makes a certificate for some addresses, which signs itself: the paths of two files."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def made(folder, *, names=("127.0.0.1",), days=1):
        """Files of a certificate that signs itself: it is its own authority."""
        key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
        built = (
            x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=9)).not_valid_after(now + dt.timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(each)) for each in names]), critical=False)
            .sign(key, hashes.SHA256())
        )  # fmt: skip
        folder.mkdir()
        (folder / "cert.pem").write_bytes(built.public_bytes(serialization.Encoding.PEM))
        (folder / "key.pem").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return str(folder / "cert.pem"), str(folder / "key.pem")

    return made
