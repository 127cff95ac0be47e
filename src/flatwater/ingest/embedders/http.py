"""A server with OpenAI's interface for embeddings as an embedder.

Covers:     requests, their pace, trying again, limits of time and bytes, keys, what each refusal means.
Not here:   reading its answers (`embedders.answers`), finding the text that it refuses (`ingest.embedding`).
Holds:      a request and an answer for each call under way; see `Http.bytes_max`.

The interface is `POST {url}/embeddings` (platform.openai.com/docs/api-reference/embeddings), which vLLM, Ollama, llama.cpp,
text-embeddings-inference, LiteLLM and most providers have, too.
"""

from __future__ import annotations

import email.utils
import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, final
from urllib.parse import urlsplit, urlunsplit

from flatwater import errors, limits
from flatwater.ingest.embedders import answers
from flatwater.ingest.embedders.base import EmbedderFailed

if TYPE_CHECKING:
    import httpx
    import tenacity

    from flatwater.ingest.embedders.base import Vectors

KEY_VARIABLE = "FLATWATER_EMBEDDER_KEY"
OPENAI_KEY_VARIABLE = "OPENAI_API_KEY"
_OPENAI_HOST = "api.openai.com"  # the only one that gets OpenAI's key without being asked to
_SHORTENED = ";dimensions="  # behind the model, in a name
_OK = 200
_BUSY = {408, 409, 425, 429, 502, 503, 504}  # worth another try; the server is of no use if it stays so
_BROKEN = {500}  # worth another try; may be due to the text if it stays so
_HINTS = {
    401: f"Give its key: key=…, or the environment variable {KEY_VARIABLE}.",
    403: f"Is the key ({KEY_VARIABLE}) one for this model?",
    404: "Are the address (https://host/v1) and the model behind # right?",
    405: "Is the address right? It is that of the interface: https://host/v1.",
    429: "Lower requests_per_s or workers.",
}


class _Again(Exception):  # noqa: N818 - it never leaves this file
    """Something that may work the next time, and what to raise if it never does."""

    def __init__(self, final: Exception, wait_s: float = 0.0) -> None:
        super().__init__(str(final))
        self.final = final
        self.wait_s = wait_s


@final
class Http:
    """Embeddings of a model that a server runs. Thread-safe; `workers` requests are under way at a time.

    Certificates are verified, and no redirect is followed: a key goes to the host of the address and nowhere else. The key
    is in no name, error or representation. What a server is too busy for is tried again, after as long as it says.

    Memory: `bytes_max`, about 40 MiB with the defaults: an answer may take up to `limits.INGEST_HTTP_ANSWER_BYTES_MAX`.

    Args:
        address: `https://host/v1#model`, or such a name.
        key: sent as a bearer token. Without it, the environment variable FLATWATER_EMBEDDER_KEY; for api.openai.com,
            OPENAI_API_KEY as well.
        dimensions: asked of a model that can shorten its vectors; 0 asks for none.
        name: an identity to use in place of the address without its query, the model and the dimensions.
        encoding: of vectors: "base64", a quarter of the bytes, or "float", which a server that refuses the first is asked
            for by itself.
        requests_per_s: no more than so many begin in a second; 0 sets no limit.
        workers: requests at a time.
        batch_texts: texts of one request.
        batch_bytes: of these.
        timeout_s: of a request, from the connection to the last byte.
        tries: of a request, the first one included.
        retry_s: before the second try, unless the server says; doubled before each further one.

    Raises:
        UsageError: an address or a bound that makes no sense.
        MissingExtra: httpx or tenacity is not installed.
    """

    def __init__(
        self,
        address: str,
        *,
        key: str = "",
        dimensions: int = 0,
        name: str = "",
        encoding: str = "base64",
        requests_per_s: float = 0.0,
        workers: int = limits.INGEST_HTTP_WORKERS,
        batch_texts: int = limits.INGEST_CALL_TEXTS,
        batch_bytes: str | int = limits.INGEST_CALL_BYTES,
        timeout_s: float = limits.INGEST_HTTP_S,
        tries: int = limits.INGEST_HTTP_TRIES,
        retry_s: float = limits.INGEST_HTTP_RETRY_S,
    ) -> None:
        self._url, model, shown, host = _address(address)
        self._model, _, shortened = model.partition(_SHORTENED)
        if not dimensions and shortened.isascii() and shortened.isdigit():
            dimensions = int(shortened[:9])
        self._key = key or os.environ.get(KEY_VARIABLE, "")
        if not self._key and host == _OPENAI_HOST and self._url.startswith("https:"):
            self._key = os.environ.get(OPENAI_KEY_VARIABLE, "")
        if not self._key.isascii() or not self._key.isprintable():
            raise errors.UsageError("the key of the embedder holds characters that no key has.")
        if encoding not in {"base64", "float"}:
            raise errors.UsageError(f'encoding={encoding!r}: it is "base64" or "float".')
        for what, value in (("timeout_s", timeout_s), ("retry_s", retry_s)):
            if not 0 < value <= limits.WAIT_S_MAX:
                raise errors.UsageError(f"{what}={value!r} is no number of seconds above 0, up to a day.")
        if not 0 <= requests_per_s <= limits.INGEST_HTTP_PER_S_MAX:
            raise errors.UsageError(f"requests_per_s={requests_per_s!r} is no number from 0 up.")
        self._dimensions = (
            errors.count_of(dimensions, what="dimensions", most=limits.INGEST_WIDTH_MAX) if dimensions else 0
        )
        self._encoding = encoding
        self.workers = errors.count_of(workers, what="workers", most=limits.INGEST_CALLS_MAX)
        self.batch_texts = errors.count_of(batch_texts, what="batch_texts", most=limits.INGEST_CALL_TEXTS_MAX)
        self.batch_bytes = errors.bytes_of(batch_bytes, what="batch_bytes", least=1)
        self.name = name or f"{shown}#{self._model}" + (f"{_SHORTENED}{self._dimensions}" if self._dimensions else "")
        self.width = self._dimensions
        self._shown = shown
        self._timeout_s = timeout_s
        self._client = _client(self._key, timeout_s, self.workers)
        tries = errors.count_of(tries, what="tries", most=limits.INGEST_HTTP_TRIES_MAX)
        self._turns = _turns(tries, retry_s, self._sleep)
        self._pause_s = 1 / requests_per_s if requests_per_s else 0.0
        self._lock = threading.Lock()  # of the next line
        self._due_s = 0.0  # when the next request may begin
        self._closed = threading.Event()

    def __repr__(self) -> str:
        return f"<embedder {self.name}>"

    def embed(self, texts: list[str]) -> Vectors:
        """The vectors that the server gives, `(len(texts), width)`.

        Raises:
            EmbedderFailed: the server is away or too busy, refuses the key or the model, or answers in no known form.
            BrokenError: it refuses or fails for these texts; another text may work.
            ClosedError: it is closed, or was meanwhile.
        """
        content = self._turns(self._once, texts)
        try:
            vectors = answers.vectors(content, len(texts), self.name)
        except errors.BrokenError as error:
            raise type(error)(f"{self._clean(str(error))}.") from None
        if not self.width:
            self.width = vectors.shape[1]
        return vectors

    def embed_query(self, text: str) -> Vectors:
        """The vector of what is searched for: as that of a text."""
        vector: Vectors = self.embed([text])[0]
        return vector

    def bytes_max(self) -> int:
        """The most that it holds, in bytes."""
        total = 0
        total += self.batch_bytes * 6  # a request: JSON takes six bytes for a control character
        total += self.batch_bytes * 6  # the same, being sent
        total += limits.INGEST_HTTP_ANSWER_BYTES_MAX  # an answer as it arrives
        total += answers.bytes_max(self.batch_texts, self.width or limits.INGEST_WIDTH_MAX)  # its vectors
        total += limits.INGEST_HTTP_CONNECTION_BYTES  # buffers, TLS
        return total * self.workers

    def close(self) -> None:
        """Close the connections; calls that wait for another try end with an error. Closing twice is fine."""
        self._closed.set()
        self._client.close()

    # --- one request --------------------------------------------------------------------------------------------------

    def _once(self, texts: list[str]) -> bytes:
        import httpx

        self._keep_pace()
        body: dict[str, Any] = {"model": self._model, "input": texts, "encoding_format": self._encoding}
        if self._dimensions:
            body["dimensions"] = self._dimensions
        try:
            with self._client.stream("POST", self._url, json=body) as answer:
                content = self._read(answer)
        except httpx.InvalidURL as error:
            raise EmbedderFailed(f"{self._shown}: {error}.") from None
        except (httpx.TransportError, RuntimeError, UnicodeEncodeError) as error:
            if self._closed.is_set():
                raise errors.ClosedError(f"the embedder {self.name} is closed.") from None
            if not isinstance(error, httpx.TransportError):
                raise
            why = str(error) or type(error).__name__
            raise _Again(EmbedderFailed(f"{self._shown} cannot be reached: {self._clean(why)}.")) from None
        if answer.status_code == _OK:
            return content
        if self._encoding == "base64" and answer.is_client_error and b"encoding_format" in content:
            self._encoding = "float"  # a server that knows no other
            raise _Again(EmbedderFailed(f"{self._shown} takes no encoding of vectors that is known here."))
        raise self._refusal(answer, content)

    def _read(self, answer: httpx.Response) -> bytes:
        """The answer's body, within its limits of bytes and time.

        Raises:
            EmbedderFailed: it is too long, or compressed although that was not asked for.
        """
        import httpx

        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise EmbedderFailed(f"{self._shown} answers compressed, though it was asked not to.")
        until_s = time.monotonic() + self._timeout_s
        content = bytearray()
        for part in answer.iter_raw(limits.INGEST_HTTP_PART_BYTES):
            content += part
            if len(content) > limits.INGEST_HTTP_ANSWER_BYTES_MAX:
                raise EmbedderFailed(
                    f"{self._shown} answers with more than {limits.INGEST_HTTP_ANSWER_BYTES_MAX:,} bytes.",
                    hint="Lower batch_texts.",
                )
            if time.monotonic() > until_s:
                raise httpx.ReadTimeout(f"the answer took longer than {self._timeout_s:g} s")
        return bytes(content)

    def _refusal(self, answer: httpx.Response, content: bytes) -> Exception:
        """What an answer that is no success means."""
        status = answer.status_code
        if answer.is_redirect:
            target = urlsplit(answer.headers.get("Location", ""))
            where = f"{target.scheme}://{target.hostname}{target.path}" if target.hostname else target.path
            return EmbedderFailed(
                f"{self._shown} redirects to {self._clean(where)}, and redirects are not followed: a key is for one host.",
                hint="Give the address that it redirects to.",
            )
        told = self._clean(answers.complaint(content))
        message = f"{self._shown} answers {status} {answer.reason_phrase}".rstrip() + (f": {told}." if told else ".")
        hint = _HINTS.get(status, "")
        if status in _BUSY:
            return _Again(EmbedderFailed(message, hint=hint), _retry_after_s(answer.headers.get("Retry-After", "")))
        if status in _BROKEN:
            return _Again(errors.BrokenError(message))
        if status in {400, 413, 422}:  # about these texts: too long, too many
            return errors.BrokenError(message)
        return EmbedderFailed(message, hint=hint)

    def _clean(self, text: str) -> str:
        """What somebody else wrote, in one line, without the key, which some servers repeat."""
        text = text.replace(self._key, "…") if self._key else text
        text = "".join(letter for letter in " ".join(text.split()) if letter.isprintable())
        return text[: limits.INGEST_REASON_CHARS_MAX].rstrip(". ")

    # --- time ---------------------------------------------------------------------------------------------------------

    def _keep_pace(self) -> None:
        """Wait until a request may begin."""
        with self._lock:
            now = time.monotonic()
            begin = max(self._due_s, now)
            self._due_s = begin + self._pause_s
        self._sleep(begin - now)

    def _sleep(self, seconds: float) -> None:
        if self._closed.wait(max(0.0, seconds)):
            raise errors.ClosedError(f"the embedder {self.name} is closed.")


def _address(address: str) -> tuple[str, str, str, str]:
    """Where requests go, the model, the address as it may be shown, the host."""
    form = "An address is https://host/v1#model."
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise errors.UsageError("the address of the embedder cannot be read.", hint=form) from None
    if parts.scheme not in {"http", "https"} or not host:
        raise errors.UsageError("the address of the embedder has no host.", hint=form)
    if parts.username is not None or parts.password is not None:
        raise errors.UsageError(
            f"the address of the embedder at {host} holds a user or a password.",
            hint=f"Give key=…, or set {KEY_VARIABLE}.",
        )
    shown_host = f"[{host}]" if ":" in host else host
    place = shown_host if port is None else f"{shown_host}:{port}"
    path = parts.path.rstrip("/")
    shown = urlunsplit((parts.scheme, place, path.removesuffix("/embeddings"), "", ""))
    if not parts.fragment:
        raise errors.UsageError(f"{shown} names no model.", hint=f"For example: {shown}#text-embedding-3-small.")
    whole = path if path.endswith("/embeddings") else f"{path}/embeddings"
    return urlunsplit((parts.scheme, place, whole, parts.query, "")), parts.fragment, shown, host


def _client(key: str, timeout_s: float, connections: int) -> httpx.Client:
    try:
        import httpx
    except ImportError:
        raise errors.MissingExtra("ingest", "httpx") from None
    headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "flatwater"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    return httpx.Client(
        headers=headers, follow_redirects=False,
        timeout=httpx.Timeout(timeout_s, connect=min(timeout_s, limits.INGEST_HTTP_CONNECT_S)),
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
    )  # fmt: skip


def _turns(tries: int, retry_s: float, sleep: Callable[[float], None]) -> tenacity.Retrying:
    try:
        import tenacity
    except ImportError:
        raise errors.MissingExtra("ingest", "tenacity") from None
    grown = tenacity.wait_exponential(retry_s, limits.INGEST_HTTP_RETRY_S_MAX) + tenacity.wait_random(0, retry_s)

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked_s = error.wait_s if isinstance(error, _Again) else 0.0
        return max(grown(state), min(asked_s, limits.INGEST_HTTP_RETRY_AFTER_S_MAX))

    def give_up(state: tenacity.RetryCallState) -> object:
        error = state.outcome.exception() if state.outcome else None
        assert isinstance(error, _Again)
        raise error.final from None

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(_Again), stop=tenacity.stop_after_attempt(tries), wait=wait,
        retry_error_callback=give_up, sleep=sleep,
    )  # fmt: skip


def _retry_after_s(value: str) -> float:
    """Seconds that a Retry-After header asks for, RFC 9110 10.2.3: a number of them, or a date."""
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return 0.0
