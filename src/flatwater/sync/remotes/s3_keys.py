"""S3 where keys are any text: listings, keys that obstore has no names for, copies within a bucket.

Covers:     pages of a listing, one object under any key, parts of an upload one after the other, uploads that were left.
Not here:   everything else (`objects`), which obstore does at a tenth of the processor time.
Holds:      a page of a listing: `limits.SYNC_PAGE_BYTES`; botocore's descriptions: `limits.SYNC_S3_BYTES`.

obstore tells the keys "dir/" and "/dir" as "dir" and refuses others, so no listing of its can be believed. A page is asked
for with a URL that botocore signs, and read by the standard library's XML parser: at less processor time than obstore's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, final
from urllib.parse import unquote_plus
from xml.etree import ElementTree as Tree  # noqa: ICN001 - two letters say less

from flatwater import errors, limits
from flatwater.sync.entry import UNKNOWN
from flatwater.sync.failures import Failure, TemporaryFailure
from flatwater.sync.pacing import Pace
from flatwater.sync.remote import shown
from flatwater.sync.remotes.object_answers import failure_of, failure_of_botocore

_OK = 200
_SIGNED_S = 900  # that a signed URL is good for: clocks differ
_PAGE_KEYS = 1_000  # S3 gives no more at once
_CREDENTIALS_S = 600  # that obstore uses credentials before it asks again
_STEP_NS = 1_000_000_000  # listings and answers tell times in different steps: whole seconds both have
Object = tuple[str, int, int, str]  # key, size, time in nanoseconds, etag


@final
class S3Keys:
    """A bucket through botocore. Thread-safe.

    Args:
        bucket: its name.
        endpoint: where it is; "" is Amazon's.
        region: of the bucket.
        keys: the access key, its secret and a session token; without, botocore looks for some.
        anonymous: sign nothing.
        is_path_style: the bucket's name is in the path, not in the host.
        name: what messages call it.
    """

    def __init__(
        self,
        bucket: str,
        *,
        endpoint: str,
        region: str,
        keys: tuple[str, str, str | None] | None,
        anonymous: bool,
        is_path_style: bool,
        name: str,
    ) -> None:
        try:
            import botocore.session
            from botocore import UNSIGNED
            from botocore.config import Config
            from botocore.httpsession import URLLib3Session
            from botocore.utils import get_environ_proxies
        except ImportError:
            raise errors.MissingExtra("sync", "boto3") from None
        self.bucket = bucket
        self._name = name
        self._session = botocore.session.get_session()
        if keys is not None:
            self._session.set_credentials(*keys)
        self._client = self._session.create_client(
            "s3",
            region_name=region,
            endpoint_url=endpoint or None,
            config=Config(
                signature_version=UNSIGNED if anonymous else "s3v4",
                s3={"addressing_style": "path" if is_path_style else "auto"},
                retries={"total_max_attempts": 2, "mode": "standard"},
                connect_timeout=limits.SYNC_CONNECT_S,
                read_timeout=limits.SYNC_ANSWER_S,
                max_pool_connections=32,
                request_checksum_calculation="when_required",  # not all of those that are like S3 know the others
                response_checksum_validation="when_required",
            ),
        )
        self._http = URLLib3Session(
            proxies=get_environ_proxies(self._client.meta.endpoint_url),
            timeout=(limits.SYNC_CONNECT_S, limits.SYNC_ANSWER_S),
            max_pool_connections=32,
        )

    def credentials(self) -> dict[str, Any]:
        """As obstore wants them from a provider."""
        found = self._session.get_credentials()
        if found is None:
            from botocore.exceptions import NoCredentialsError

            raise failure_of_botocore(NoCredentialsError(), self._name, "reached")
        frozen = found.get_frozen_credentials()
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            "expires_at": datetime.now(UTC) + timedelta(seconds=_CREDENTIALS_S),
        }

    # --- listing ------------------------------------------------------------------------------------------------------

    def pages(
        self, pace: Pace, prefix: str, after: str = "", delimiter: str = "", count: int = _PAGE_KEYS
    ) -> Iterator[tuple[list[Object], list[str]]]:
        """The keys that begin with `prefix`, behind `after`, and what they have up to a delimiter.

        Raises:
            TemporaryFailure: the answer was cut off, among others.
            RemoteFailure: it cannot be listed.
        """
        asked = {"Bucket": self.bucket, "Prefix": prefix, "EncodingType": "url", "MaxKeys": count}
        if after:
            asked["StartAfter"] = after
        if delimiter:
            asked["Delimiter"] = delimiter
        token = ""
        while True:
            pace.take()
            page = _Page(self._asked_page(asked | ({"ContinuationToken": token} if token else {})), self._name)
            yield page.objects(), page.prefixes()
            if not page.is_truncated:
                return
            if not page.token or page.token == token:
                raise Failure(f"{self._name} cannot be listed: the server says there is more, and not where.")
            token = page.token

    def _asked_page(self, asked: Mapping[str, Any]) -> bytes:
        from botocore.awsrequest import AWSRequest

        try:
            url = self._client.generate_presigned_url("list_objects_v2", Params=asked, ExpiresIn=_SIGNED_S)
            answer = self._http.send(AWSRequest("GET", url).prepare())
            body: bytes = answer.content
        except Exception as error:  # noqa: BLE001 - its text has the signed URL
            raise failure_of_botocore(error, self._name, "listed") from None
        if answer.status_code == _OK:
            return body
        code = ""
        with contextlib.suppress(Tree.ParseError):
            code = Tree.fromstring(body).findtext("{*}Code") or ""  # noqa: S314 - expat refuses what expands endlessly
        raise failure_of(
            answer.status_code, code, self._name, "listed", str(answer.headers.get("x-amz-bucket-region", ""))
        )

    def find(self, pace: Pace, key: str, *, is_sorted: bool) -> Object | None:
        """What a listing tells of one key: servers answer other times to other questions."""
        for page, _prefixes in self.pages(pace, key, count=1 if is_sorted else _PAGE_KEYS):
            for told in page:
                if told[0] == key:
                    return told
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

    def copy(self, path: bytes, key: str, source_key: str, etag: bytes) -> str:
        """Copy within the bucket, if the source still has that etag; the new one."""
        condition = {"CopySourceIfMatch": f'"{etag.decode()}"'} if etag else {}
        where = {"Bucket": self.bucket, "Key": source_key}
        answer = self.call("copied", path, "copy_object", ("CopyObjectResult",), Key=key, CopySource=where, **condition)
        return str(answer.get("CopyObjectResult", {}).get("ETag", ""))

    def discard(self, path: bytes, key: str, begun: datetime) -> None:
        """Abort the uploads of one key that were begun before some time."""
        answer = self.call("cleared", path, "list_multipart_uploads", Prefix=key)
        for upload in answer.get("Uploads", []):
            if upload["Key"] == key and upload["Initiated"] < begun:
                self.call("cleared", path, "abort_multipart_upload", Key=key, UploadId=upload["UploadId"])

    def close(self) -> None:
        """Close connections; others are opened when they are needed."""
        self._http.close()
        self._client.close()


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


class _Page:
    """An answer to a listing."""

    def __init__(self, body: bytes, name: str) -> None:
        try:
            root = Tree.fromstring(body)  # noqa: S314 - expat refuses what expands endlessly
        except Tree.ParseError:
            raise TemporaryFailure(f"{name} cannot be listed: the answer was cut off, or is no XML.") from None
        self._root = root
        self._name = name
        self._space = root.tag[: root.tag.find("}") + 1]
        if root.tag != self._space + "ListBucketResult":
            raise TemporaryFailure(f"{name} cannot be listed: the answer is no listing.")
        self._is_quoted = self._text("EncodingType") == "url"
        self.is_truncated = self._text("IsTruncated") == "true"
        self.token = self._text("NextContinuationToken")

    def _text(self, name: str) -> str:
        return self._root.findtext(self._space + name) or ""

    def _texts(self, name: str) -> list[str]:
        """Of all such elements, in their order."""
        return [found.text or "" for found in self._root.iter(self._space + name)]

    def objects(self) -> list[Object]:
        keys = self._texts("Key")
        if self._is_quoted:
            keys = [self._key(key) if "%" in key or "+" in key else key for key in keys]
        sizes = self._texts("Size")
        etags = self._texts("ETag")
        times = self._texts("LastModified")
        if not len(keys) == len(sizes) == len(times) or len(etags) not in {0, len(keys)}:
            raise Failure(f"{self._name} cannot be listed: the answer lacks a size or a time of some keys.")
        if not etags:
            etags = [""] * len(keys)
        known: dict[str, int] = {}
        whens = [known[time] if time in known else known.setdefault(time, _when(time)) for time in times]
        return list(zip(keys, map(int, sizes), whens, etags, strict=True))

    def _key(self, text: str) -> str:
        try:
            return unquote_plus(text, errors="strict") if self._is_quoted else text
        except UnicodeDecodeError:
            raise Failure(f"{self._name} cannot be listed: the key {text} is not UTF-8.") from None

    def prefixes(self) -> list[str]:
        found = self._root.iterfind(f"{self._space}CommonPrefixes/{self._space}Prefix")
        return [self._key(prefix.text or "") for prefix in found]


def _when(text: str) -> int:
    """A time of a listing, in nanoseconds: whole seconds."""
    try:
        return int(datetime.fromisoformat(text).timestamp()) * _STEP_NS
    except ValueError:
        return UNKNOWN
