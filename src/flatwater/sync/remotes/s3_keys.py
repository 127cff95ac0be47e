"""S3 where keys are any text: listings, keys that obstore has no names for, copies within a bucket.

Covers:     pages of a listing, one object under any key, parts of an upload one after the other, uploads that were left.
Not here:   everything else (`objects`), which obstore does at a tenth of the processor time; what a page says (`s3_pages`).
Holds:      a page of a listing: `limits.SYNC_S3_PAGE_BYTES`, with fewer keys where they are long; botocore's
            descriptions: `limits.SYNC_S3_BYTES`.

obstore tells the keys "dir/" and "/dir" as "dir" and refuses others, so no listing of its can be believed. A page is asked
for with a request that botocore signs, and read by libxml2: at less processor time than obstore's. botocore's client, which
takes a tenth of a second to be made, is made where only it knows an address, and for keys that obstore has no names for.
"""

from __future__ import annotations

import contextlib
import logging
import re
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, final
from urllib.parse import quote

from flatwater import errors, limits
from flatwater.sync.entry import Entry
from flatwater.sync.failures import Failure, TemporaryFailure
from flatwater.sync.pacing import Pace
from flatwater.sync.remote import shown
from flatwater.sync.remotes.object_answers import failure_of, failure_of_botocore
from flatwater.sync.remotes.once import once
from flatwater.sync.remotes.s3_pages import Page, code_of, page_of

_OK = 200
_SIGNED_S = 900  # that a signed URL is good for: clocks differ
_PAGE_KEYS = 1_000  # S3 gives no more at once
_FEWER = 5  # times as few are asked for where a page of them is too long: of 1 KiB and all quoted, 200 have 640 KB
_CONNECTIONS_MAX = 32  # kept open; who needs more than these at a time opens another, and closes it
_CREDENTIALS_S = 600  # that obstore uses credentials before it asks again
_PLAIN = re.compile(r"[A-Za-z0-9._-]{3,255}")  # a bucket, and no address of something like one
_WORDS = {  # of a listing, and botocore's
    "encoding-type": "EncodingType",
    "max-keys": "MaxKeys",
    "prefix": "Prefix",
    "start-after": "StartAfter",
    "delimiter": "Delimiter",
    "continuation-token": "ContinuationToken",
}
_SPECIAL = ("--x-s3", "--op-s3", "--table-s3", ".mrap")  # at the end of names that are signed in ways of their own


class Keys(NamedTuple):
    """Credentials, as botocore's signer wants them.

    Attributes:
        token: of a session; None where there is none.
    """

    access_key: str
    secret_key: str
    token: str | None = None

    def __repr__(self) -> str:
        return "Keys()"


@final
class S3Keys:
    """A bucket through botocore, which is imported when it is first asked for something. Thread-safe.

    Args:
        bucket: its name.
        endpoint: where it is; "" is Amazon's.
        region: of the bucket.
        keys: credentials; without, botocore looks for some.
        anonymous: sign nothing.
        is_path_style: the bucket's name is in the path, not in the host.
        name: what messages call it.

    Attributes:
        is_plain: whether its name is a bucket's, and no address of something that is signed in a way of its own.
    """

    def __init__(
        self,
        bucket: str,
        *,
        endpoint: str,
        region: str,
        keys: Keys | None,
        anonymous: bool,
        is_path_style: bool,
        name: str,
    ) -> None:
        self.bucket = bucket
        self.keys = keys
        self._endpoint = endpoint
        self._region = region
        self._is_anonymous = anonymous
        self._is_path_style = is_path_style
        self._name = name
        self.lock = threading.RLock()  # of what is made when it is first needed
        self.is_plain = _PLAIN.fullmatch(bucket) is not None and not bucket.endswith(_SPECIAL)

    # --- what is made when it is first needed -------------------------------------------------------------------------

    @once
    def _session(self) -> Any:
        try:
            import botocore.session
        except ImportError:
            raise errors.MissingExtra("sync", "boto3") from None
        _hush()
        session = botocore.session.get_session()
        if self.keys is not None:
            session.set_credentials(*self.keys)
        return session

    @once
    def _client(self) -> Any:
        session = self._session
        from botocore import UNSIGNED
        from botocore.config import Config

        return session.create_client(
            "s3",
            region_name=self._region,
            endpoint_url=self._endpoint or None,
            config=Config(
                signature_version=UNSIGNED if self._is_anonymous else "s3v4",
                s3={"addressing_style": "path" if self._is_path_style else "virtual" if self._endpoint else "auto"},
                retries={"total_max_attempts": 2, "mode": "standard"},
                connect_timeout=limits.SYNC_CONNECT_S,
                read_timeout=limits.SYNC_ANSWER_S,
                max_pool_connections=_CONNECTIONS_MAX,
                request_checksum_calculation="when_required",  # not all of those that are like S3 know the others
                response_checksum_validation="when_required",
            ),
        )

    @once
    def _http(self) -> Any:
        try:
            from botocore.httpsession import URLLib3Session
            from botocore.utils import get_environ_proxies
        except ImportError:
            raise errors.MissingExtra("sync", "boto3") from None
        _hush()
        return URLLib3Session(
            proxies=get_environ_proxies(self._address if self.is_plain else self._client.meta.endpoint_url),
            timeout=(limits.SYNC_CONNECT_S, limits.SYNC_ANSWER_S),
            max_pool_connections=_CONNECTIONS_MAX,
        )

    @once
    def _address(self) -> str:
        """Where a plain bucket is: an endpoint that was said, or where botocore says that Amazon's are."""
        if self._endpoint and self._is_path_style and "@" not in self._endpoint:
            return f"{self._endpoint.rstrip('/')}/{self.bucket}"
        url: str = self._client.generate_presigned_url("list_objects_v2", Params={"Bucket": self.bucket})
        return url.partition("?")[0]

    def _credentials(self) -> Any:
        """With an access key, a secret and a token; the provider's own are renewed by it."""
        if self.keys is not None:
            return self.keys
        found = self._session.get_credentials()
        if found is None:
            from botocore.exceptions import NoCredentialsError

            raise NoCredentialsError
        return found.get_frozen_credentials()

    def credentials(self) -> dict[str, Any]:
        """As obstore wants them from a provider."""
        try:
            found = self._credentials()
        except Exception as error:  # noqa: BLE001 - what it is is told by its kind
            raise failure_of_botocore(error, self._name, "reached") from None
        return {
            "access_key_id": found.access_key,
            "secret_access_key": found.secret_key,
            "token": found.token,
            "expires_at": datetime.now(UTC) + timedelta(seconds=_CREDENTIALS_S),
        }

    # --- listing ------------------------------------------------------------------------------------------------------

    def pages(
        self,
        pace: Pace,
        prefix: str,
        after: str = "",
        delimiter: str = "",
        count: int = 0,
        leave_out_bytes: int = 0,
    ) -> Iterator[Page]:
        """The keys that begin with `prefix`, behind `after`, and what they have up to a delimiter.

        Args:
            pace: that each request is taken from.
            prefix: of keys.
            after: a key, whether it is there or not.
            delimiter: behind which keys are told together.
            count: of keys in a page, if not as many as S3 gives.
            leave_out_bytes: at the front of each key.

        Raises:
            TemporaryFailure: the answer was cut off, among others.
            RemoteFailure: it cannot be listed.
        """
        asked = {"encoding-type": "url", "list-type": "2", "max-keys": str(count or _PAGE_KEYS), "prefix": prefix}
        if after:
            asked["start-after"] = after
        if delimiter:
            asked["delimiter"] = delimiter
        mark, passed, turn = (
            "",
            0,
            1,
        )  # a token, the pages since, and when another is kept: it comes again in any circle
        while True:
            pace.take()
            body = self._asked_page(asked)
            if body is None:  # keys are long: it is asked for with fewer of them
                fewer = int(asked["max-keys"]) // _FEWER
                if not fewer:
                    raise Failure(
                        f"{self._name} cannot be listed: an answer has more than {limits.SYNC_S3_BODY_BYTES:,} bytes.",
                        hint="The server has to keep to max-keys.",
                    )
                asked["max-keys"] = str(fewer)
                continue
            page = page_of(body, self._name, leave_out_bytes, has_prefixes=bool(delimiter))
            del body
            next_token, is_truncated = page.token, page.is_truncated
            box = [page]
            del page  # it is the other's own now
            yield box.pop()
            if not is_truncated:
                return
            if not next_token or next_token == mark:
                raise Failure(f"{self._name} cannot be listed: the server says there is more, and not where.")
            asked["continuation-token"] = next_token
            passed += 1
            if passed == turn:
                mark, passed, turn = next_token, 0, 2 * turn

    def _asked_page(self, asked: Mapping[str, str]) -> bytes | None:
        """The answer; None where it is too long to be read."""
        try:
            http = self._http
            answer = http.send(self._signed(asked))
        except errors.MissingExtra:
            raise
        except Exception as error:  # noqa: BLE001 - its text may have a signed URL
            raise failure_of_botocore(error, self._name, "listed") from None
        body = self._body(answer.raw)
        if body is None or answer.status_code == _OK:
            return body
        region = str(answer.headers.get("x-amz-bucket-region", ""))
        raise failure_of(answer.status_code, code_of(body), self._name, "listed", region)

    def _body(self, raw: Any) -> bytes | None:
        """Of an answer; None where it is too long."""
        parts = []
        left = limits.SYNC_S3_BODY_BYTES
        try:
            while left >= 0 and (part := raw.read(min(left + 1, limits.SYNC_CHUNK_BYTES), decode_content=True)):
                parts.append(part)
                left -= len(part)
        except Exception:  # noqa: BLE001 - of the connection: a whole page or none
            raw.close()
            raise TemporaryFailure(f"{self._name} cannot be listed: the answer was cut off.") from None
        if left < 0:
            raw.close()
            return None
        raw.release_conn()
        return b"".join(parts)

    def _signed(self, asked: Mapping[str, str]) -> Any:
        """A request for a page: by botocore's signer alone, or by all of it where the bucket's name is an address."""
        from botocore.awsrequest import AWSRequest

        if not self.is_plain:
            words = {
                _WORDS[name]: int(value) if name == "max-keys" else value
                for name, value in asked.items()
                if name in _WORDS
            }
            url = self._client.generate_presigned_url(
                "list_objects_v2", Params={"Bucket": self.bucket} | words, ExpiresIn=_SIGNED_S
            )
            return AWSRequest("GET", url, stream_output=True).prepare()
        query = "&".join(f"{name}={quote(asked[name], safe='-_.~')}" for name in sorted(asked))
        request = AWSRequest("GET", f"{self._address}?{query}", stream_output=True)
        if not self._is_anonymous:
            from botocore.auth import S3SigV4Auth

            S3SigV4Auth(self._credentials(), "s3", self._region).add_auth(request)
        return request.prepare()

    def find(self, pace: Pace, key: str, *, is_sorted: bool) -> Entry | None:
        """What a listing tells of one key, which is the entry's path: servers answer other times to other questions."""
        path = key.encode()
        for page in self.pages(pace, key, count=1 if is_sorted else 0):
            for entry in page.entries:
                if entry.path == path:
                    return entry
            if is_sorted:  # it would be the first
                break
        return None

    # --- one object ---------------------------------------------------------------------------------------------------

    def call(
        self, verb: str, path: bytes, operation: str, /, needs: tuple[str, ...] = (), **asked: Any
    ) -> dict[str, Any]:
        """One request about this bucket, and what its answer must have: Python's HTTP takes cut headers for all of them.

        Raises:
            Failure: of the kind that the answer means, without the library's text.
        """
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(Bucket=self.bucket, **asked)
        except Exception as error:  # noqa: BLE001 - what it is is told by its kind
            raise failure_of_botocore(error, path, verb) from None
        if any(name not in answer for name in needs):
            raise TemporaryFailure(f"{shown(path)} cannot be {verb}: the answer was cut off.")
        return answer

    def copy(self, path: bytes, key: str, source: S3Keys, source_key: str, etag: bytes) -> str:
        """Copy from a bucket of the same store, if the object there still has that etag; the new one."""
        condition = {"CopySourceIfMatch": f'"{etag.decode()}"'} if etag else {}
        where = {"Bucket": source.bucket, "Key": source_key}
        answer = self.call("copied", path, "copy_object", ("CopyObjectResult",), Key=key, CopySource=where, **condition)
        return str(answer.get("CopyObjectResult", {}).get("ETag", ""))

    def discard(self, path: bytes, key: str, begun: datetime | None) -> None:
        """Abort the uploads of one key that were begun before some time, or all of them."""
        answer = self.call("cleared", path, "list_multipart_uploads", Prefix=key)
        for upload in answer.get("Uploads", []):
            if upload["Key"] == key and (begun is None or upload["Initiated"] < begun):
                self.call("cleared", path, "abort_multipart_upload", Key=key, UploadId=upload["UploadId"])

    def close(self) -> None:
        """Close connections; others are opened when they are needed."""
        for name in ("_http", "_client"):
            if (opened := self.__dict__.get(name)) is not None:
                opened.close()


@final
class KeyUpload:
    """Parts of an object under any key, sent one after the other by who writes.

    Args:
        headers: of the object, as botocore calls them.
        part_bytes: of a part.

    Attributes:
        feed_bytes: of what is fed, but for the last.
    """

    def __init__(
        self, keys: S3Keys, pace: Pace, path: bytes, key: str, headers: Mapping[str, Any], part_bytes: int
    ) -> None:
        self.feed_bytes = part_bytes
        self._keys = keys
        self._pace = pace
        self._path = path
        self._key = key
        self._parts: list[dict[str, Any]] = []
        self._id = str(self._call("create_multipart_upload", ("UploadId",), **headers)["UploadId"])

    def _call(self, operation: str, needs: tuple[str, ...] = (), **asked: Any) -> dict[str, Any]:
        self._pace.take()
        return self._keys.call("written", self._path, operation, needs, Key=self._key, **asked)

    def feed(self, part: bytearray) -> None:
        """Send a part."""
        number = len(self._parts) + 1
        answer = self._call("upload_part", ("ETag",), UploadId=self._id, PartNumber=number, Body=part)
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"]})

    def finish(self) -> str | None:
        """Make the object; its etag."""
        answer = self._call(
            "complete_multipart_upload", ("ETag",), UploadId=self._id, MultipartUpload={"Parts": self._parts}
        )
        return answer.get("ETag")

    def abort(self) -> None:
        """Leave no part; may fail, with no consequence but theirs."""
        with contextlib.suppress(Failure):
            self._call("abort_multipart_upload", UploadId=self._id)


def _hush() -> None:
    """Keep secrets out of logs: at DEBUG, botocore logs signatures, session tokens and what a login answers, urllib3 signed URLs.

    A level that somebody gave to botocore's logger itself is left as it is.
    """
    library = logging.getLogger("botocore")
    if library.level == logging.NOTSET:
        library.setLevel(logging.INFO)
    addresses = logging.getLogger("urllib3.connectionpool")
    if _is_unsigned not in addresses.filters:
        addresses.addFilter(_is_unsigned)


def _is_unsigned(record: logging.LogRecord) -> bool:
    return "X-Amz-Signature=" not in record.getMessage()
