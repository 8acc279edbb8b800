"""Signs letters (DKIM, RFC 6376), so that receivers know them as ours and one-click unsubscription counts (RFC 8058).

Relaxed canonicalisation by dkimpy, the RSA by OpenSSL: dkimpy's own takes seven milliseconds a letter, this half of one.
The private key is `<home>/keys/dkim-<selector>.<domain>.pem`, made by `lofte mail key`.
"""

import base64
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from django.conf import settings
from dkim.canonicalization import Relaxed

from lofte.kernel.problems import Place, Problem

_BITS = 2048  # what mailbox providers ask for, and what fits a DNS record
SIGNED = (
    "from", "to", "reply-to", "subject", "date", "message-id", "in-reply-to", "references", "list-id", "list-unsubscribe",
    "list-unsubscribe-post", "precedence", "auto-submitted", "cfbl-address", "mime-version", "content-type",
    "content-transfer-encoding",
)  # fmt: skip
_ONCE = (
    "from",
    "subject",
    "to",
    "date",
    "list-unsubscribe",
    "list-unsubscribe-post",
)  # named once more: none can be added


@dataclass(frozen=True, slots=True)
class Signer:
    selector: str
    domain: str
    key: rsa.RSAPrivateKey

    def signed(self, message: bytes) -> bytes:
        """The message with its signature before it."""
        head, _, body = message.partition(b"\r\n\r\n")
        fields = _fields(head)
        names = [name for name in SIGNED if name in fields]
        listed = ":".join(sorted([*names, *(name for name in _ONCE)]))
        stamp = (
            f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={self.domain}; s={self.selector};\r\n\th={_wrapped(listed)};\r\n\t"
            f"bh={base64.b64encode(sha256(Relaxed.canonicalize_body(body)).digest()).decode()};\r\n\tb="
        )
        said = b"".join(_canonical(name, fields[name]) for name in _order(listed, fields))
        said += _canonical("dkim-signature", stamp.encode("ascii")).removesuffix(b"\r\n")
        signature = base64.b64encode(self.key.sign(said, padding.PKCS1v15(), hashes.SHA256())).decode("ascii")
        lines = "\r\n\t ".join(signature[at : at + 72] for at in range(0, len(signature), 72))
        return f"DKIM-Signature: {stamp}{lines}\r\n".encode("ascii") + message


def signer() -> Signer | None:
    """Who signs for LOFTE_DKIM; None where it is not set. Raises Problem when the key is not there."""
    if settings.LOFTE_DKIM is None:
        return None
    selector, domain = settings.LOFTE_DKIM
    file = key_file(settings.LOFTE_HOME, selector, domain)
    try:
        return _read(file, file.stat().st_mtime_ns, selector, domain)
    except (OSError, ValueError):
        raise Problem(
            "mail.no-key", "there is no key to sign letters with", Place(key="LOFTE_DKIM"),
            way_out="Make one with lofte mail key, or leave LOFTE_DKIM empty.", status=500,
        ) from None  # fmt: skip


def make_key(home: Path, selector: str, domain: str) -> Path:
    """A new private key (mode 0600). Refuses to write over one: letters on their way are signed by it."""
    file = key_file(home, selector, domain)
    made = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    content = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Problem(
            "mail.has-key", "this selector has a key already", way_out="Name another selector.", status=409
        ) from None
    with os.fdopen(handle, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    return file


def record_of(file: Path) -> str:
    """The value of the DNS record (TXT) that belongs to a private key."""
    key = serialization.load_pem_private_key(file.read_bytes(), None)
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode('ascii')}"


def key_file(home: Path, selector: str, domain: str) -> Path:
    return home / "keys" / f"dkim-{selector}.{domain}.pem"


@lru_cache(maxsize=4)
def _read(file: Path, changed: int, selector: str, domain: str) -> Signer:
    key = serialization.load_pem_private_key(file.read_bytes(), None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("not an RSA key")
    return Signer(selector, domain, key)


def _fields(head: bytes) -> dict[str, bytes]:
    """The headers of a message of ours: each once."""
    found = {}
    for line in re.split(rb"\r\n(?![ \t])", head):
        name, _, value = line.partition(b":")
        found[name.decode("ascii").lower()] = value
    return found


def _order(listed: str, fields: dict[str, bytes]) -> Iterable[str]:
    """The headers that are there, in the order the signature names them; a name listed again stands for one that is not there."""
    return (name for name in dict.fromkeys(listed.split(":")) if name in fields)


def _canonical(name: str, value: bytes) -> bytes:
    return name.encode("ascii") + b":" + re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip(b" \t") + b"\r\n"


def _wrapped(listed: str) -> str:
    lines = [""]
    for name in listed.split(":"):
        if len(lines[-1]) + len(name) > 60:
            lines.append("")
        lines[-1] += name + ":"
    return "\r\n\t ".join(lines).removesuffix(":")
