"""What the answers of object stores mean: which kind of failure, and in which words.

Covers:     status and code of an answer, exceptions of obstore and of botocore, keys that obstore has no names for.
Not here:   requests (`objects`, `s3_keys`).
Holds:      nothing.

A message has the status and the code of an answer in it and nothing else of the library's text, which may have a signed URL.
"""

from __future__ import annotations

import re
from typing import Any

from flatwater.sync.failures import (
    ChangedFailure,
    Failure,
    GoneFailure,
    RefusedFailure,
    RemoteFailure,
    TemporaryFailure,
)
from flatwater.sync.remote import shown

KEY_BYTES_MAX = 1024  # of a key, in all three stores
_ANSWER = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w{1,64})</Code>|\(code: (\w{1,64})\)")
_REGION = re.compile(r"[a-z0-9-]{1,64}")
_WORD = re.compile(r"\w{1,64}", re.ASCII)
_ODD = re.compile(  # what obstore refuses, alters (a slash at an end), or cannot put into XML
    "[\x00-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]|^/|/$|//|(?:^|/)\\.{1,2}(?:/|$)|^$"
)
_TOO_MANY, _SERVER = 429, 500
_TEMPORARY_STATUS = {408, 409, 421, 425, _TOO_MANY}
_TEMPORARY_CODES = {
    "SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "ServerBusy", "OperationTimedOut", "BadDigest",
    "IncompleteBody", "NoSuchUpload", "OperationAborted", "Throttling", "ThrottlingException", "RequestLimitExceeded",
    "XAmzContentSHA256Mismatch",
}  # fmt: skip
_REMOTE_CODES = {
    "SignatureDoesNotMatch", "InvalidAccessKeyId", "ExpiredToken", "InvalidToken", "TokenRefreshRequired",
    "RequestTimeTooSkewed", "AuthorizationHeaderMalformed", "NoSuchBucket", "InvalidBucketName", "AllAccessDisabled",
    "AccountProblem", "NotSignedUp", "PermanentRedirect", "QuotaExceeded", "InvalidBucketState", "UserSuspended",
    "AuthenticationFailed", "ContainerNotFound", "ContainerBeingDeleted", "AccountIsDisabled", "InvalidSecurity",
    "XMinioStorageFull", "InsufficientStorage", "UserProjectMissing", "InvalidAuthenticationInfo",
}  # fmt: skip
_HINTS = {  # what to do about an answer
    "InvalidAccessKeyId": "Look at access_key_id, or AWS_ACCESS_KEY_ID: this server knows no such key.",
    "SignatureDoesNotMatch": "Look at secret_access_key, or AWS_SECRET_ACCESS_KEY: it is not that of the key.",
    "ExpiredToken": "Get new credentials and run it again: it goes on where it was.",
    "RequestTimeTooSkewed": "Set this machine's clock.",
    "NoSuchBucket": "Make the bucket, or correct its name.",
    "InvalidObjectState": "It is in an archive: restore it there first.",
    "SlowDown": "Take fewer workers, or limit requests_per_s.",
    "QuotaExceeded": "Make room there, and run it again: it goes on where it was.",
}
_HINTS |= {"XMinioStorageFull": _HINTS["QuotaExceeded"], "InsufficientStorage": _HINTS["QuotaExceeded"]}
_KINDS: dict[int, type[Failure]] = {401: RemoteFailure, 404: GoneFailure, 412: ChangedFailure, 507: RemoteFailure}


def is_odd(key: str) -> bool:
    r"""Whether obstore refuses a key, or would take another one for it.

    >>> [is_odd(key) for key in ("a/b", "a//b", "a/", "/a", "a/../b", "a\nb", "...", "a%2Fb")]
    [False, True, True, True, True, True, False, False]
    """
    return _ODD.search(key) is not None


def kind_of(status: int, code: str) -> type[Failure]:
    """The failure of an answer.

    >>> kind_of(503, "SlowDown").__name__, kind_of(403, "AccessDenied").__name__, kind_of(403, "InvalidAccessKeyId").__name__
    ('TemporaryFailure', 'RefusedFailure', 'RemoteFailure')
    """
    if code in _REMOTE_CODES:
        return RemoteFailure
    if code in _TEMPORARY_CODES or status in _TEMPORARY_STATUS:
        return TemporaryFailure
    if status in _KINDS:
        return _KINDS[status]
    if 300 <= status < 400:  # noqa: PLR2004 - redirections: the bucket is elsewhere
        return RemoteFailure
    if status >= _SERVER:
        return Failure if status == 501 else TemporaryFailure  # noqa: PLR2004 - not implemented
    return RefusedFailure


def failure_of(status: int, code: str, what: bytes | str, verb: str, region: str = "") -> Failure:
    """The failure of an answer, in words; `what` is a path, or the remote itself, for which all refusals are its own."""
    kind = kind_of(status, code)
    said = f"{status} {code}".strip() if _WORD.fullmatch(code) else str(status)
    if isinstance(what, str):
        kind = kind if kind in {TemporaryFailure, Failure} else RemoteFailure
        name = what
    else:
        name = shown(what)
    hint = _HINTS.get(code, "")
    is_elsewhere = 300 <= status < 400 or code == "AuthorizationHeaderMalformed"  # noqa: PLR2004 - redirections
    if is_elsewhere and _REGION.fullmatch(region):
        hint = f"It is in the region {region}: say so with the option region."
    return kind(f"{name} cannot be {verb}: the server answered {said}.", hint=hint)


def failure_of_obstore(error: BaseException, what: bytes | str, verb: str) -> Failure:
    """What an exception of obstore means."""
    from obstore import exceptions

    text = str(error)
    if (answer := _ANSWER.search(text)) is not None:
        code = _CODE.search(text, answer.end())
        return failure_of(int(answer[1]), (code[1] or code[2]) if code else "", what, verb)
    if (code := _CODE.search(text)) is not None:  # an error within an answer of 200
        word = code[1] or code[2]
        if word.isdigit():  # Azure's, of one key of many
            return failure_of(int(word), "", what, verb)
        return failure_of(403 if word == "AccessDenied" else 400, word, what, verb)
    name = what if isinstance(what, str) else shown(what)
    kinds: list[tuple[Any, type[Failure], str]] = [
        (FileNotFoundError, GoneFailure, "it is not there any more"),
        (exceptions.PreconditionError, ChangedFailure, "it is another one by now"),
        (exceptions.PermissionDeniedError, RefusedFailure, "permission denied"),
        (exceptions.UnauthenticatedError, RemoteFailure, "the credentials are not accepted"),
        (exceptions.InvalidPathError, RefusedFailure, "its key is one that this store's library has no name for"),
        (exceptions.NotSupportedError, Failure, "the store does not support it"),
        (ValueError, RefusedFailure, "its key is one that this store's library has no name for"),
    ]
    for kind, failure, reason in kinds:
        if isinstance(error, kind):
            return failure(f"{name} cannot be {verb}: {reason}.")
    if "InvalidMetadata" in text:
        return RefusedFailure(f"{name} cannot be {verb}: its metadata is no text.")
    reason = "timed out" if "timed out" in text.lower() else "broke, or could not be made"
    return TemporaryFailure(f"{name} cannot be {verb}: the connection {reason}.")


def failure_of_botocore(error: BaseException, what: bytes | str, verb: str) -> Failure:
    """What an exception of botocore means."""
    from botocore import exceptions

    name = what if isinstance(what, str) else shown(what)
    if isinstance(error, exceptions.ClientError):
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code == "400":  # without a code of S3's: the rest of the answer did not come
            return TemporaryFailure(f"{name} cannot be {verb}: the answer was cut off.")
        return failure_of(status, "" if code.isdigit() else code, what, verb)
    if isinstance(error, (exceptions.NoCredentialsError, exceptions.PartialCredentialsError)):
        return RemoteFailure(
            f"{name} cannot be {verb}: there are no credentials.",
            hint="Give access_key_id and secret_access_key, or anonymous=true, or set AWS_ACCESS_KEY_ID and the like.",
        )
    if isinstance(error, (exceptions.CredentialRetrievalError, exceptions.TokenRetrievalError)):
        return RemoteFailure(f"{name} cannot be {verb}: the credentials could not be had.")
    if isinstance(error, exceptions.ParamValidationError):
        return RefusedFailure(f"{name} cannot be {verb}: its key or metadata is not possible in S3.")
    broken = (exceptions.HTTPClientError, exceptions.ConnectionError, exceptions.IncompleteReadError, OSError)
    if isinstance(error, broken) or type(error).__name__ == "ResponseParserError":
        return TemporaryFailure(f"{name} cannot be {verb}: the connection broke, or could not be made.")
    return Failure(f"{name} cannot be {verb}: {type(error).__name__}.")


def marks(etag: str | None) -> bytes:
    """An etag as entries have it: without quotes.

    >>> marks('"0cc1"'), marks('W/"0cc1"'), marks(None)
    (b'0cc1', b'0cc1', b'')
    """
    return (etag or "").removeprefix("W/").strip('"').encode()
