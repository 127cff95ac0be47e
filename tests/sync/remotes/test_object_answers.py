"""What answers of object stores mean; with servers, in test_objects.py."""

from __future__ import annotations

import pytest

from flatwater.sync.failures import (
    ChangedFailure,
    Failure,
    GoneFailure,
    RefusedFailure,
    RemoteFailure,
    TemporaryFailure,
)
from flatwater.sync.remotes.object_answers import failure_of, failure_of_botocore, failure_of_obstore, is_odd


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [(404, "NoSuchKey", GoneFailure), (404, "NoSuchBucket", RemoteFailure), (404, "NoSuchUpload", TemporaryFailure),
     (412, "PreconditionFailed", ChangedFailure), (400, "RequestTimeout", TemporaryFailure), (501, "", Failure),
     (400, "KeyTooLongError", RefusedFailure), (301, "PermanentRedirect", RemoteFailure), (401, "", RemoteFailure)]
)  # fmt: skip
def test_kinds_of_answers(status, code, kind):
    """By code where that is known, else by status."""
    assert type(failure_of(status, code, b"file", "read")) is kind
    assert type(failure_of(status, code, "s3://bucket", "listed")) in {kind, RemoteFailure}


def test_messages_say_status_and_code_alone():
    """A text where a code should be is left out; the region of a bucket that is elsewhere is told."""
    assert (
        str(failure_of(403, "AccessDenied", b"a\nb", "read"))
        == "a\\nb cannot be read: the server answered 403 AccessDenied."
    )
    assert str(failure_of(400, "see https://x?X-Amz-Signature=1", b"a", "read")).endswith("answered 400.")
    assert "option region" in str(failure_of(301, "PermanentRedirect", "s3://bucket", "listed", "eu-west-1"))


def test_texts_of_libraries_are_not_handed_on():
    """Neither that of obstore nor that of botocore: signed URLs stand in them."""
    from botocore.exceptions import EndpointConnectionError
    from obstore.exceptions import GenericError

    for failure in (
        failure_of_obstore(GenericError("GET https://host/key?sig=hidden: operation timed out"), b"a", "read"),
        failure_of_botocore(EndpointConnectionError(endpoint_url="https://host/?X-Amz-Signature=hidden"), b"a", "read"),
    ):
        assert type(failure) is TemporaryFailure
        assert "hidden" not in str(failure)
    refused = GenericError("DeleteObjects request failed for key a: no (code: AccessDenied)")
    assert type(failure_of_obstore(refused, b"a", "deleted")) is RefusedFailure


def test_a_blob_that_is_gone_already():
    """Azure says so with a status where others have a code; it is no refusal."""
    from obstore.exceptions import GenericError

    gone = GenericError("Bulk delete request failed for key a: The specified blob does not exist. (code: 404)")
    assert type(failure_of_obstore(gone, b"a", "deleted")) is GoneFailure


@pytest.mark.parametrize("key", ["a b", "%", "ü", "..a", "a..", "...", "~", "a/b.c", "\u200b"])
def test_usual_keys_are_not_odd(key):
    """obstore is as good for them."""
    assert not is_odd(key)


@pytest.mark.parametrize(
    ("status", "code", "region", "hint"),
    [(403, "InvalidAccessKeyId", "", "access_key_id"), (403, "ExpiredToken", "", "new credentials"), (403, "RequestTimeTooSkewed", "", "clock"),
     (404, "NoSuchBucket", "", "correct its name"), (503, "SlowDown", "", "fewer workers"), (301, "PermanentRedirect", "eu-west-1", "region eu-west-1"),
     (400, "AuthorizationHeaderMalformed", "eu-west-1", "region eu-west-1"), (301, "PermanentRedirect", "e <see>", ""),
     (403, "AccessDenied", "us-east-1", ""), (500, "Other", "", "")]
)  # fmt: skip
def test_what_to_do_is_said(status, code, region, hint):
    """Where an answer leaves no doubt about it."""
    found = failure_of(status, code, b"a", "listed", region).hint
    assert hint in found if hint else found == ""
