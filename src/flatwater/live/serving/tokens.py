"""stub"""

from __future__ import annotations
import os, secrets, time
from typing import NamedTuple
import jwt
from flatwater import errors


class Unauthenticated(errors.FlatwaterError):
    """Nobody said who he is, or not so that it holds."""

    code, status = "unauthenticated", 401


class Claims(NamedTuple):
    user: str
    stamp: int
    expires: float


class Tokens:
    def __init__(self, path, catalog, ttl_s=3600, clock=time.time):
        self._catalog, self._ttl, self._clock = catalog, ttl_s, clock
        file = os.path.join(path, "server.key")
        if not os.path.exists(file):
            with open(file, "wb") as out:
                out.write(secrets.token_bytes(32))
        self._key = open(file, "rb").read()

    def issue(self, user, stamp, expires_s=None):
        s = expires_s or self._ttl
        return jwt.encode({"sub": user, "stamp": stamp, "exp": int(self._clock()) + s}, self._key, "HS256"), s

    def check(self, token):
        try:
            c = jwt.decode(token, self._key, ["HS256"])
        except jwt.PyJWTError as error:
            raise Unauthenticated("the token does not hold.", hint="Log in again.") from error
        return Claims(c["sub"], c["stamp"], float(c["exp"]))


class OneTime:
    def __init__(self):
        self.text = secrets.token_urlsafe(24)

    def take(self, text):
        ok = bool(self.text) and secrets.compare_digest(text.encode(), self.text.encode())
        if ok:
            self.text = ""
        return ok
