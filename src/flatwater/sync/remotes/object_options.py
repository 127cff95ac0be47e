"""From a URL and options to a bucket: what users may say, and what the environment says.

Covers:     s3://, gs://, az://; options of obstore by its own names; http for endpoints that say so themselves.
Not here:   requests (`objects`, `s3_keys`).
Holds:      the options, secrets among them; neither repr nor messages show them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import unquote

from flatwater import errors, limits
from flatwater.sync.remotes.s3_keys import S3Keys

_SCHEMES = {"s3": "S3Store", "gs": "GCSStore", "az": "AzureStore"}
_TRUE, _FALSE = {"true", "1", "yes"}, {"false", "0", "no"}
_NAMES = {  # what users say, and obstore's name
    "anonymous": "skip_signature",
    "access_key": "access_key_id",
    "secret_key": "secret_access_key",
    "session_token": "token",
    "endpoint_url": "endpoint",
}
_FLAGS = {
    "skip_signature", "virtual_hosted_style_request", "unsigned_payload", "use_emulator", "disable_bulk_delete",
    "request_payer", "s3_express", "sse_bucket_key_enabled", "disable_tagging", "imdsv1_fallback", "use_azure_cli",
}  # fmt: skip
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")


class Place(NamedTuple):
    """A bucket that was named, and how to reach it.

    Attributes:
        prefix: of all keys; "" or with a "/" at its end.
        identity: what two places share if one can copy from the other.
        keys: S3 only.
        small: obstore's store for requests that end soon.
        large: the same for downloads.
    """

    url: str
    scheme: str
    prefix: str
    identity: tuple[object, ...]
    keys: S3Keys | None
    small: Any
    large: Any
    has_md5: bool
    is_sorted: bool

    def __repr__(self) -> str:
        return f"Place({self.url!r})"


def place(url: str, options: Mapping[str, str]) -> Place:
    """Settle a URL such as `s3://bucket/prefix` and its options.

    Raises:
        UsageError: one of them is wrong; says what to do.
        MissingExtra: a library is not there.
    """
    scheme, bucket, prefix, login = _parts(url)
    said = {_NAMES.get(name, name): value for name, value in options.items()} | login
    is_sorted = _flag("sorted", said.pop("sorted", "true"))
    config: dict[str, Any] = {
        name: _flag(name, value) if name in _FLAGS else value for name, value in said.items() if value != ""
    }
    shown = f"{scheme}://{bucket}/{prefix}".rstrip("/")
    keys = None
    if scheme == "s3":
        is_sorted = is_sorted and not bucket.endswith("--x-s3")  # directory buckets list in no order
        keys = _settled_s3(bucket, config, shown)
    endpoint = str(config.get("endpoint", ""))
    stores = [
        _store(scheme, bucket, config, keys, seconds) for seconds in (limits.SYNC_REQUEST_S, limits.SYNC_DOWNLOAD_S)
    ]
    has_md5 = scheme == "s3" and "kms" not in str(config.get("server_side_encryption", "")) and is_sorted
    who = tuple(sorted((name, str(value)) for name, value in config.items()))
    return Place(
        shown if not endpoint else f"{shown} at {_bare(endpoint)}",
        scheme,
        prefix,
        (scheme, bucket, who),
        keys,
        stores[0],
        stores[1],
        has_md5,
        is_sorted,
    )


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
        if not endpoint.startswith(("http://", "https://")):
            raise errors.UsageError("the option endpoint is no URL.", hint="Write https://host or http://host:port.")
        config["endpoint"] = endpoint
        if os.environ.get(_ENDPOINTS[0]):
            config["aws_endpoint_url_s3"] = endpoint  # or that of the environment would win
    named = [bool(config.get(name)) for name in ("access_key_id", "secret_access_key")]
    if any(named) and not all(named):
        raise errors.UsageError(
            "one half of the credentials is missing.", hint="Give access_key_id and secret_access_key."
        )
    keys = (config["access_key_id"], config["secret_access_key"], config.get("token")) if all(named) else None
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


def _store(scheme: str, bucket: str, config: Mapping[str, Any], keys: S3Keys | None, seconds: float) -> Any:
    """Make obstore's store at the bucket's root."""
    try:
        from obstore import store
    except ImportError:
        raise errors.MissingExtra("sync", "obstore") from None
    more: dict[str, Any] = {}
    if keys is not None and not config.get("skip_signature") and "access_key_id" not in config:
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
