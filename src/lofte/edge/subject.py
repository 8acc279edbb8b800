"""Subject tokens: proof that we showed a choice, to whom it was shown being a random number.

A token is `v1.<random>.<issued>.<market>.<locale>.<publication>.<HMAC-SHA256>`. It travels in the banner's form and
comes back with the decision, so that nobody can record a choice that no page of ours offered. It names no person.

An *offer* is `o1.<market>.<locale>.<publication>.<HMAC-SHA256>`: the same for everybody, for pages that are. Who decides gets the
random number with the decision.
"""

import hmac
import os
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import NamedTuple

from lofte.gate.choice import derive_key, signature

LARGEST_TOKEN = 200  # an honest one is about 110 characters


class Token(NamedTuple):
    """``id`` is 16 random bytes in base64url; ``publication`` the first 16 hex digits of the digest shown.

    ``issued_s`` is None for an offer: it stands as long as its publication.
    ``method`` is where the choice was shown, ``banner`` or ``preferences``: each signs with a key of its own.
    """

    id: str
    issued_s: int | None
    market: str
    locale: str
    publication: str
    method: str


class Tokens:
    def __init__(self, root_key: bytes, random: Callable[[int], bytes] = os.urandom) -> None:
        self._keys = {method: derive_key(root_key, f"subject/1/{method}") for method in ("banner", "preferences")}
        self._random = random

    def issue(self, market: str, locale: str, digest: str, at_s: int, method: str = "banner") -> str:
        """A fresh token for one page shown at ``at_s`` (Unix seconds, server time)."""
        name = urlsafe_b64encode(self._random(16))[:22].decode()
        body = f"v1.{name}.{at_s}.{market}.{locale}.{digest[:16]}"
        return f"{body}.{signature(body.encode(), self._keys[method])}"

    def offer(self, market: str, locale: str, digest: str, method: str = "banner") -> str:
        """What a page shows that is the same for everybody."""
        body = f"o1.{market}.{locale}.{digest[:16]}"
        return f"{body}.{signature(body.encode(), self._keys[method])}"

    def read(self, token: str, once: str = "") -> Token | None:
        """What a token says, or None unless this very string was issued by us. ``once`` tells two decisions on one offer apart."""
        if len(token) > LARGEST_TOKEN or not token.isascii():
            return None
        body, _, mac = token.rpartition(".")
        for method, key in self._keys.items():
            if hmac.compare_digest(mac, signature(body.encode(), key)):
                kind, *said = body.split(".")
                if kind == "o1":
                    market, locale, publication = said
                    return Token(self._name(once, key), None, market, locale, publication, method)
                name, issued, market, locale, publication = said
                return Token(name, int(issued), market, locale, publication, method)
        return None

    def _name(self, once: str, key: bytes) -> str:
        """The same for the same ``once``, so that a decision sent twice is one; not to be guessed without our key."""
        return (
            signature(f"once:{once}".encode(), key)[:22] if once else urlsafe_b64encode(self._random(16))[:22].decode()
        )


class Codes:
    """Capability codes: who holds the code of a receipt may read it, and there is no list of receipts to guess from."""

    def __init__(self, root_key: bytes) -> None:
        self._key = derive_key(root_key, "receipt/1")

    def of(self, index: int) -> str:
        return signature(b"%d" % index, self._key)[:22]

    def opens(self, index: int, code: str) -> bool:
        return code.isascii() and hmac.compare_digest(code, self.of(index))
