"""From a URL and options to a bucket: what users may say, and what the environment says.

Covers:     s3://, gs://, az://; options of obstore by its own names; http for endpoints that say so themselves.
Not here:   requests (`objects`, `s3_keys`).
Holds:      the options, secrets among them; neither repr nor messages show them.

Nothing is imported or opened for it: a sync whose state says that nothing changed does not touch its destination.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from importlib.util import find_spec
from typing import Any, final
from urllib.parse import unquote, urlsplit

from flatwater import errors, limits
from flatwater.sync.remotes.once import once
from flatwater.sync.remotes.s3_keys import Keys, S3Keys

_SCHEMES = {"s3": "S3Store", "gs": "GCSStore", "az": "AzureStore"}
_TRUE, _FALSE = {"true", "1", "yes"}, {"false", "0", "no"}
_NAMES = {  # what users say, and obstore's name
    "anonymous": "skip_signature",
    "access_key": "access_key_id",
    "secret_key": "secret_access_key",
    "session_token": "token",
    "endpoint_url": "endpoint",
}
_S3_FLAGS = {
    "skip_signature", "virtual_hosted_style_request", "unsigned_payload", "disable_bulk_delete", "request_payer",
    "s3_express", "sse_bucket_key_enabled", "disable_tagging", "imdsv1_fallback",
}  # fmt: skip
_FLAGS = _S3_FLAGS | {"use_emulator", "use_azure_cli"}
_TEXTS = {  # options that any text may be given for: what else is said is looked at by obstore at once
    "s3": {
        "access_key_id",
        "secret_access_key",
        "token",
        "region",
        "endpoint",
        "server_side_encryption",
        "sse_kms_key_id",
    },
    "gs": {"bearer_token"},
    "az": {"account_name", "token", "endpoint", "client_id", "client_secret", "tenant_id"},
}
_M_MMAP_THRESHOLD = -3  # mallopt(3)
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")


@final
class Place:
    """A bucket that was named, and how to reach it. Thread-safe; imports and opens nothing until it is used.

    Args:
        url: for people.
        prefix: of all keys; "" or with a "/" at its end.
        identity: what two places share if one can copy from the other.
        keys: S3 only.
        make: obstore's store, whose requests end after so many seconds.
        has_md5: whether etags are the MD5 of the content.
        is_sorted: whether it lists in the order of bytes.
    """

    def __init__(
        self,
        url: str,
        prefix: str,
        identity: tuple[object, ...],
        keys: S3Keys | None,
        make: Callable[[float], Any],
        *,
        has_md5: bool,
        is_sorted: bool,
    ) -> None:
        self.url = url
        self.prefix = prefix
        self.identity = identity
        self.keys = keys
        self.has_md5 = has_md5
        self.is_sorted = is_sorted
        self.lock = threading.RLock()
        self._make = make

    @once
    def small(self) -> Any:
        """A store of obstore's, for requests that end soon."""
        return self._make(limits.SYNC_REQUEST_S)

    @once
    def large(self) -> Any:
        """The same for downloads."""
        return self._make(limits.SYNC_DOWNLOAD_S)

    def __repr__(self) -> str:
        return f"Place({self.url!r})"


def place(url: str, options: Mapping[str, str]) -> Place:
    """Settle a URL such as `s3://bucket/prefix` and its options.

    Raises:
        UsageError: one of them is wrong; says what to do. Values that only a library knows are looked at by it, later.
        MissingExtra: obstore is not there, and the store is none of S3, or an option is one that is not known here.
    """
    scheme, bucket, prefix, login = _parts(url)
    said = {_NAMES.get(name, name): value for name, value in options.items()} | login
    is_sorted = _flag("sorted", said.pop("sorted", "true"))
    config: dict[str, Any] = {
        name: _flag(name, value) if name in _FLAGS else value for name, value in said.items() if value != ""
    }
    shown = f"{scheme}://{bucket}/{prefix}".rstrip("/")
    keys = None
    known = _TEXTS[scheme] | (_S3_FLAGS if scheme == "s3" else {"skip_signature"})
    is_known = config.keys() <= known
    if scheme == "s3":
        is_sorted = is_sorted and not bucket.endswith("--x-s3")  # directory buckets list in no order
        keys = _settled_s3(bucket, config, shown)
    endpoint = str(config.get("endpoint", ""))
    who = tuple(sorted((name, str(value)) for name, value in config.items()))

    def make(seconds: float) -> Any:
        return _store(scheme, bucket, config, keys, seconds)

    if keys is None and find_spec("obstore") is None:  # it is looked for, and not imported by now
        raise errors.MissingExtra("sync", "obstore")
    found = Place(
        shown if not endpoint else f"{shown} at {_bare(endpoint)}",
        prefix,
        (scheme, "" if keys is not None and keys.is_plain else bucket, who),
        keys,
        make,
        has_md5=scheme == "s3" and "kms" not in str(config.get("server_side_encryption", "")) and is_sorted,
        is_sorted=is_sorted,
    )
    if not is_known:
        _ = found.small  # raises if obstore does not know it
    return found


def _parts(url: str) -> tuple[str, str, str, dict[str, str]]:
    """Scheme, bucket, prefix, and a login if there is one."""
    scheme, mark, rest = url.partition("://")
    bucket, slash, prefix = rest.partition("/")
    user, at, bucket = bucket.rpartition("@")
    if not mark or scheme not in _SCHEMES or not bucket:
        raise errors.UsageError(
            "this is no URL of an object store.",
            hint="Write s3://bucket/prefix, gs://bucket/prefix, az://container/prefix.",
        )
    if "?" in rest or "?" in bucket:
        raise errors.UsageError(
            f"{scheme}://{bucket.partition('?')[0]} has a question mark behind it.",
            hint="Give options as options, not in the URL.",
        )
    if slash and prefix and not prefix.endswith("/"):
        prefix += "/"
    login: dict[str, str] = {}
    if at:
        name, colon, secret = user.partition(":")
        if scheme != "s3" or not colon:
            raise errors.UsageError(
                f"{scheme}://{bucket} has a login in front of it that is none.",
                hint="Write s3://key:secret@bucket/prefix, or give the credentials as options.",
            )
        login = {"access_key_id": unquote(name), "secret_access_key": unquote(secret)}
    return scheme, bucket, prefix, login


def _flag(name: str, value: str) -> bool:
    if value.lower() in _TRUE | _FALSE:
        return value.lower() in _TRUE
    raise errors.UsageError(f"the option {name} is {value!r}.", hint="Say true or false.")


def _settled_s3(bucket: str, config: dict[str, Any], shown: str) -> S3Keys:
    """Put into the options what the environment says, for both libraries alike."""
    endpoint = config.get("endpoint") or next((os.environ[name] for name in _ENDPOINTS if os.environ.get(name)), "")
    region = config.get("region") or next((os.environ[name] for name in _REGIONS if os.environ.get(name)), "us-east-1")
    config["region"] = region
    if endpoint:
        if not _is_address(endpoint):
            raise errors.UsageError("the option endpoint is no URL.", hint="Write https://host or http://host:port.")
        config["endpoint"] = endpoint
        if os.environ.get(_ENDPOINTS[0]):
            config["aws_endpoint_url_s3"] = endpoint  # or that of the environment would win
    named = [bool(config.get(name)) for name in ("access_key_id", "secret_access_key")]
    if any(named) and not all(named):
        raise errors.UsageError(
            "one half of the credentials is missing.", hint="Give access_key_id and secret_access_key."
        )
    keys = None
    if all(named):
        keys = Keys(config["access_key_id"], config["secret_access_key"], config.get("token"))
    elif not config.get("skip_signature"):
        keys = _keys_of_environment()
    is_virtual = bool(config.get("virtual_hosted_style_request"))
    return S3Keys(
        bucket,
        endpoint=endpoint.replace(f"://{bucket}.", "://", 1) if is_virtual else endpoint,
        region=region,
        keys=keys,
        anonymous=bool(config.get("skip_signature")),
        is_path_style=not is_virtual and (bool(endpoint) or "." in bucket),
        name=shown,
    )


def _keys_of_environment() -> Keys | None:
    """What botocore would find there first; what expires is left to it, which knows how to ask again."""
    said = os.environ.get
    key, secret = said("AWS_ACCESS_KEY_ID"), said("AWS_SECRET_ACCESS_KEY")
    if not key or not secret or said("AWS_CREDENTIAL_EXPIRATION"):
        return None
    return Keys(key, secret, said("AWS_SESSION_TOKEN") or said("AWS_SECURITY_TOKEN") or None)


def _is_address(endpoint: str) -> bool:
    """Whether it has a scheme, a host, and a port that is a number, if any."""
    try:
        parts = urlsplit(endpoint)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port >= 0)
    except ValueError:
        return False


def _store(scheme: str, bucket: str, config: Mapping[str, Any], keys: S3Keys | None, seconds: float) -> Any:
    """Make obstore's store at the bucket's root."""
    try:
        from obstore import store
    except ImportError:
        raise errors.MissingExtra("sync", "obstore") from None
    _let_go_of_buffers()
    more: dict[str, Any] = {}
    if keys is not None and not config.get("skip_signature"):
        has_foreign_token = "token" not in config and bool(
            os.environ.get("AWS_SESSION_TOKEN") or os.environ.get("AWS_TOKEN")
        )
        if "access_key_id" not in config or has_foreign_token:  # obstore would send that token with keys that were said
            more["credential_provider"] = keys.credentials
    endpoint = str(config.get("endpoint", ""))
    try:
        return getattr(store, _SCHEMES[scheme])(
            bucket,
            **config,
            **more,
            client_options={
                "allow_http": endpoint.startswith("http://") or bool(config.get("use_emulator")),
                "timeout": timedelta(seconds=seconds),
                "connect_timeout": timedelta(seconds=limits.SYNC_CONNECT_S),
                "read_timeout": timedelta(seconds=limits.SYNC_ANSWER_S),
                "user_agent": "flatwater",
            },
            retry_config={
                "max_retries": 1,  # the layer above tries again, for longer
                "retry_timeout": timedelta(seconds=10),
                "backoff": {
                    "init_backoff": timedelta(milliseconds=50),
                    "max_backoff": timedelta(milliseconds=200),
                    "base": 2,
                },
            },
        )
    except Exception as error:  # noqa: BLE001 - its text may have the options in it
        known = next((name for name in config if name in str(error)), "")
        raise errors.UsageError(
            f"{scheme}://{bucket} cannot be used with these options"
            + (f": {known} is wrong or unknown." if known else "."),
            hint="Options are those of obstore's store, such as endpoint, region, access_key_id, secret_access_key, anonymous.",
        ) from None


def _bare(endpoint: str) -> str:
    """An endpoint without a login in it."""
    scheme, _mark, rest = endpoint.partition("://")
    host = rest.partition("/")[0].rpartition("@")[2]
    return f"{scheme}://{host}"


def _let_go_of_buffers() -> None:
    """Have buffers of parts given back to the system when they are freed.

    glibc raises the size from which on it does so to that of the largest buffer that was freed, and keeps the others for each
    thread: 16 workers that sent files of 50 MB held 160 to 210 MiB, and hold 68 MiB.
    """
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None  # of glibc; others have none
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, limits.SYNC_CHUNK_BYTES)
