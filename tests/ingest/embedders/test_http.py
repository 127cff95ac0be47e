from __future__ import annotations

import email.utils
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from flatwater import errors, limits
from flatwater.ingest.embedders import EmbedderFailed, embedder_of
from flatwater.ingest.embedders.http import Http

KEY = "sk-secret-0123456789"


@pytest.fixture(autouse=True)
def no_keys(monkeypatch):
    monkeypatch.delenv("FLATWATER_EMBEDDER_KEY", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture
def made(served):
    """A function that makes an embedder of the server, with short pauses."""
    embedders = []

    def make(**options):
        embedders.append(Http(f"{served[1]}#small", **{"retry_s": 0.001, "timeout_s": 5.0} | options))
        return embedders[-1]

    yield make
    for embedder in embedders:
        embedder.close()


@pytest.mark.parametrize("encoding", ["base64", "float"])
def test_vectors_of_both_encodings(served, made, encoding):
    """Both forms of a vector give the same numbers, in the order of the texts; the width is known from the first call."""
    embedder = made(encoding=encoding)
    assert embedder.width == 0
    found = embedder.embed(["abc", "dé", ""])
    assert found.tolist() == [served[0].vector_of(text) for text in ("abc", "dé", "")]
    assert found.dtype == np.float32
    assert embedder.width == 3
    assert embedder.embed_query("abc").tolist() == served[0].vector_of("abc")
    assert served[0].requests[0] == {"model": "small", "input": ["abc", "dé", ""], "encoding_format": encoding}
    assert served[0].paths[0] == "/v1/embeddings"
    assert "Authorization" not in served[0].headers[0]


def test_order_by_index(served, made):
    """Vectors are put in the order that their index tells, not in that in which they come."""
    served[0].answer = lambda body: served[0].said(200, {"data": served[0].items(body)[::-1]})
    assert made().embed(["a", "bb", "ccc"])[:, 0].tolist() == [1, 2, 3]


def test_a_server_that_knows_numbers_only(served, made):
    """A server that refuses base64 is asked for numbers, from then on at once."""

    def answer(body):
        if body["encoding_format"] == "base64":
            return served[0].said(400, {"error": {"message": "unknown value of encoding_format"}})
        return None

    served[0].answer = answer
    embedder = made()
    assert embedder.embed(["abc"])[0, 0] == 3
    embedder.embed(["abc"])
    assert [body["encoding_format"] for body in served[0].requests] == ["base64", "float", "float"]


def test_dimensions_are_asked_for(served, made):
    """The option goes to the server, and is part of the name."""
    embedder = made(dimensions=3)
    embedder.embed(["a"])
    assert served[0].requests[0]["dimensions"] == 3
    assert embedder.name == f"{served[1]}#small;dimensions=3"
    assert embedder.width == 3


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, "cut"])
def test_what_may_work_the_next_time_is_tried_again(served, made, status):
    """A server that is busy, broken or cuts the connection is asked again, and the answer is used."""
    served[0].answer = lambda _: (
        None if len(served[0].requests) > 2 else "cut" if status == "cut" else served[0].said(status, {})
    )
    assert made().embed(["abc"])[0, 0] == 3
    assert len(served[0].requests) == 3


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_server_says_how_long_to_wait(served, made, form, monkeypatch):
    """It is asked again after as long as Retry-After says, and no longer than the limit."""
    waited = []
    embedder = made()
    monkeypatch.setattr(embedder._turns, "sleep", waited.append)
    value = "7" if form == "seconds" else email.utils.formatdate(time.time() + 7.9, usegmt=True)
    told = iter([value, "9999999"])

    def answer(_):
        header = next(told, None)
        return None if header is None else served[0].said(429, {}, Retry_After=header)

    served[0].answer = answer
    embedder.embed(["abc"])
    assert 5 <= waited[0] < 9
    assert waited[1] == limits.INGEST_HTTP_RETRY_AFTER_S_MAX


def test_tries_end(served, made):
    """A server that stays busy is given up with its name and answer; one that stays broken may be due to the text."""
    served[0].answer = lambda _: served[0].said(429, {"error": {"message": "slow down"}})
    with pytest.raises(EmbedderFailed, match=r"answers 429 Too Many Requests: slow down\. Lower requests_per_s"):
        made(tries=3).embed(["a"])
    assert len(served[0].requests) == 3
    served[0].answer = lambda _: served[0].said(500, {})
    with pytest.raises(errors.BrokenError, match="answers 500") as caught:
        made(tries=2).embed(["a"])
    assert not isinstance(caught.value, EmbedderFailed)


def test_no_server():
    """An address where nobody listens is named, after a few tries."""
    embedder = Http("http://127.0.0.1:9/v1#m", tries=2, retry_s=0.001)
    with pytest.raises(EmbedderFailed, match=r"http://127\.0\.0\.1:9/v1 cannot be reached"):
        embedder.embed(["a"])
    embedder.close()


@pytest.mark.parametrize(
    ("status", "answer", "message"),
    [
        (401, {"error": {"message": f"Incorrect key {KEY}"}}, "answers 401 Unauthorized: Incorrect key ….*key="),
        (403, {"detail": "no"}, "answers 403 Forbidden.*one for this model"),
        (
            404,
            {"error": {"message": "The model `small` does not exist"}},
            "404.*`small` does not exist.*model behind #",
        ),
        (405, b"<html>", "405.*https://host/v1"),
        (418, b"", "418"),
    ],
)
def test_refusals_that_end_it(served, made, status, answer, message):
    """They say what the server says and what to do, name no key, and are not tried again."""
    served[0].answer = lambda _: served[0].said(status, answer)
    embedder = made(key=KEY)
    with pytest.raises(EmbedderFailed, match=message) as caught:
        embedder.embed(["a"])
    assert KEY not in str(caught.value)
    assert len(served[0].requests) == 1


def test_a_refusal_of_a_text(served, made):
    """A text that the server refuses is no failure of the embedder: another may work."""
    served[0].answer = lambda _: served[0].said(400, {"message": "too long"})
    with pytest.raises(errors.BrokenError, match="too long") as caught:
        made().embed(["a"])
    assert not isinstance(caught.value, EmbedderFailed)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(served, made, status):
    """A key does not go where a redirect points, and the target is named without its query."""
    served[0].answer = lambda _: served[0].said(status, b"", Location="https://elsewhere.example/v1?token=abc")
    with pytest.raises(EmbedderFailed, match=r"redirects to https://elsewhere\.example/v1,") as caught:
        made(key=KEY).embed(["a"])
    assert "token" not in str(caught.value)
    assert len(served[0].requests) == 1


def test_a_key_is_shown_nowhere(served, made, monkeypatch):
    """It is sent, and stands in no name, representation or error, even if the server repeats it."""
    monkeypatch.setenv("FLATWATER_EMBEDDER_KEY", KEY)
    embedder = made()
    served[0].answer = lambda _: served[0].said(200, f"you sent {KEY}".encode())
    with pytest.raises(EmbedderFailed, match="no JSON") as caught:
        embedder.embed(["a"])
    assert served[0].headers[0]["Authorization"] == f"Bearer {KEY}"
    for text in (embedder.name, repr(embedder), str(caught.value), repr(caught.value)):
        assert KEY not in text


def test_openais_key_goes_to_openai_alone(served, made, monkeypatch):
    """The environment's OPENAI_API_KEY is for api.openai.com over TLS: no other address gets it."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    made().embed(["a"])
    assert "Authorization" not in served[0].headers[0]
    for address, expected in {
        "https://api.openai.com/v1#m": f"Bearer {KEY}",
        "http://api.openai.com/v1#m": None,
        "https://api.openai.com.evil.example/v1#m": None,
    }.items():
        embedder = Http(address)
        assert embedder._client.headers.get("Authorization") == expected
        embedder.close()


def _items(*rows):
    return json.dumps({"data": [{"index": index, "embedding": row} for index, row in rows]}).encode()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"", "no JSON"),
        (b"<html>hello</html>", "no JSON \\(<html>hello"),
        (b'{"data": 3}', "JSON without embeddings"),
        (b'{"object": "list"}', "JSON without embeddings"),
        (_items((0, [1.0])), "1 vectors for 2 texts"),
        (_items((0, [1.0]), (0, [1.0])), "one of them for text 0"),
        (_items((0, [1.0]), (7, [1.0])), "one of them for text 7"),
        (_items((0, [1.0]), (1, [1.0, 2.0])), "several widths"),
        (_items((0, "@@@"), (1, "AAAA")), "no known form"),
        (_items((0, "AAA="), (1, "AAA=")), "no known form"),
        (_items((0, {"a": 1}), (1, [1.0])), "no known form"),
        (_items((0, ["x"]), (1, [1.0])), "no known form"),
        (b'{"data":[' + b'{"embedding":0},' * 5_000 + b"]}", "far more items"),
        (_items((0, [0] * 300_000), (1, [0])), "more than 16,384 components"),
        (b" " * (limits.INGEST_HTTP_ANSWER_BYTES_MAX + 1), r"more than 8,388,608 bytes\. Lower batch_texts"),
    ],
    ids=range(15),
)
def test_answers_of_no_known_form(served, made, answer, message):
    """Whatever comes in place of vectors is an error that says what it was, at once."""
    served[0].answer = lambda _: served[0].said(200, answer)
    with pytest.raises(errors.BrokenError, match=message):
        made(encoding="float").embed(["a", "b"])
    assert len(served[0].requests) == 1


def test_items_without_an_index(served, made):
    """They are taken in the order in which they come; a component that is null is NaN."""
    served[0].answer = lambda _: served[0].said(200, {"data": [{"embedding": [1, None]}, {"embedding": [3, 4]}]})
    found = made().embed(["a", "b"])
    assert found[1].tolist() == [3, 4]
    assert np.isnan(found[0, 1])


def test_a_compressed_answer(served, made):
    """It is refused: what it would become is not known, and it was asked not to be."""
    served[0].answer = lambda _: served[0].said(200, b"x", Content_Encoding="gzip")
    with pytest.raises(EmbedderFailed, match="compressed"):
        made().embed(["a"])


def test_an_answer_that_takes_too_long(served, made):
    """A server that does not answer in time is given up by name."""
    gone = threading.Event()
    served[0].answer = lambda _: gone.wait(5) and None
    with pytest.raises(EmbedderFailed, match=r"cannot be reached.*timed out"):
        made(timeout_s=0.05, tries=1).embed(["a"])
    gone.set()


def test_no_more_requests_at_a_time_than_workers(served, made):
    """Eight threads have two requests under way, and all get their vectors."""
    embedder = made(workers=2)
    served[0].answer = lambda _: time.sleep(0.01)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda size: embedder.embed(["x" * size])[0, 0], range(1, 17)))
    assert found == list(range(1, 17))
    assert served[0].at_once_most <= 2


def test_requests_keep_their_pace(made, monkeypatch):
    """With ten a second, each of four that come at once begins a tenth of a second after the one before."""
    embedder = made(requests_per_s=10)
    now = time.monotonic()
    waited = []
    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(embedder, "_sleep", waited.append)
    for _ in range(4):
        embedder._keep_pace()
    assert waited == pytest.approx([0, 0.1, 0.2, 0.3])


def test_closing_ends_what_waits(served, made):
    """Who waits for another try gets an error as soon as the embedder is closed; so does who comes later."""
    embedder = made(retry_s=60.0)
    came = threading.Event()

    def answer(_):
        came.set()
        return served[0].said(503, {})

    served[0].answer = answer
    caught = []

    def ask():
        try:
            embedder.embed(["a"])
        except Exception as error:
            caught.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert came.wait(10)
    embedder.close()
    thread.join(10)
    assert isinstance(caught[0], errors.ClosedError)
    with pytest.raises(errors.ClosedError, match="closed"):
        embedder.embed(["a"])
    embedder.close()


def test_names(served):
    """The name is the address without its query, and the model; a name that is given stands in its place."""
    embedder = Http("https://host.example:8443/openai/v1/embeddings?api-version=2&code=x#text-3")
    assert embedder.name == "https://host.example:8443/openai/v1#text-3"
    assert embedder._url == "https://host.example:8443/openai/v1/embeddings?api-version=2&code=x"
    embedder.close()
    embedder = embedder_of("http://[::1]:8080/v1/#m", name="mine")
    assert embedder.name == "mine"
    embedder.close()


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("https://host/v1", "names no model"),
        ("https:///v1#m", "no host"),
        ("ftp://host/v1#m", "no host"),
        ("https://user:hunter2@host/v1#m", "a user or a password"),
        ("http://host:port/v1#m", "cannot be read"),
        ("http://[::1/v1#m", "cannot be read"),
    ],
)
def test_addresses_that_make_no_sense(address, message):
    """They are refused with what is wrong, and without what may be secret."""
    with pytest.raises(errors.UsageError, match=message) as caught:
        Http(address)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"encoding": "f16"}, {"workers": 0}, {"batch_texts": 5_000}, {"batch_bytes": 0}, {"timeout_s": 0},
        {"retry_s": -1}, {"tries": 0}, {"requests_per_s": -1}, {"dimensions": -3}, {"key": "a\nb"},
    ],
    ids=str,
)  # fmt: skip
def test_bounds_that_make_no_sense(options):
    """They are refused."""
    with pytest.raises(errors.UsageError):
        Http("http://localhost/v1#m", **options)


def test_certificates_are_verified():
    """The client checks certificates and host names."""
    import ssl

    embedder = Http("https://localhost/v1#m")
    context = embedder._client._transport._pool._ssl_context
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    embedder.close()


def test_a_bound(made):
    """What it holds grows with the requests at a time, and is known before the width is."""
    assert made(workers=2).bytes_max() * 2 == made(workers=4).bytes_max()
    assert made().bytes_max() < 128 << 20
