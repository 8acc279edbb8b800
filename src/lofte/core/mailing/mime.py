"""Writes a message as bytes, ready to be signed and sent: CRLF throughout, no line too long, nothing but ASCII.

By hand and not with `email`: that takes twenty times as long, and writes long addresses in List-Unsubscribe as encoded words, which
no mailbox provider reads as an address.
"""

import base64
import re
from binascii import b2a_qp
from collections.abc import Iterable, Sequence
from email.header import Header
from email.utils import encode_rfc2231, formataddr, parseaddr
from hashlib import sha256

_LONGEST_LINE = 998  # RFC 5322 2.1.1
_NICE_LINE = 78
_LINE_END = re.compile(r"\r\n|\r|\n")
_PLAIN = re.compile(r"[ -~\t]*")


def header(name: str, value: str) -> bytes:
    """One header line, folded at spaces, its words encoded where they are not ASCII (RFC 2047)."""
    if _PLAIN.fullmatch(value):
        return _folded(name, value)
    encoded = Header(value, "utf-8", maxlinelen=_NICE_LINE, header_name=name).encode(linesep="\r\n")
    return f"{name}: {encoded}\r\n".encode("ascii")


def people(name: str, value: str) -> bytes:
    """A header that names one address, `Name <name@host>`: only the name is ever encoded."""
    called, address = parseaddr(value)
    return _folded(name, formataddr((called, address), "utf-8") if called else address)


def text(media_type: str, content: str) -> bytes:
    """A part of text: as it is where it is plain, else quoted-printable."""
    lines = _LINE_END.sub("\r\n", content).encode()
    if not lines.endswith(b"\r\n"):
        lines += b"\r\n"
    is_plain = lines.isascii() and all(len(line) <= _LONGEST_LINE for line in lines.split(b"\r\n"))
    way, body = ("7bit", lines) if is_plain and b"\0" not in lines else ("quoted-printable", b2a_qp(lines, istext=True))
    kept = f"Content-Type: {media_type}; charset=utf-8\r\nContent-Transfer-Encoding: {way}\r\n\r\n"
    return kept.encode("ascii") + body


def file(name: str, media_type: str, data: bytes) -> bytes:
    """A part that is a file."""
    kind, _, parameters = media_type.partition(";")
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    called = f'filename="{quoted}"' if _PLAIN.fullmatch(name) else f"filename*={encode_rfc2231(name, 'utf-8')}"
    kind = "".join([kind.strip(), *(f";\r\n {each.strip()}" for each in parameters.split(";") if each.strip())])
    kept = f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment;\r\n {called}\r\n\r\n"
    return kept.encode("ascii") + base64.encodebytes(data).replace(b"\n", b"\r\n")


def together(kind: str, parts: Sequence[bytes]) -> bytes:
    """Parts as one: `alternative` or `mixed`. Its boundary is in none of them; one part stands alone."""
    if len(parts) == 1:
        return parts[0]
    digest = sha256(b"\0".join(parts)).hexdigest()
    boundary = next(each for each in _boundaries(digest) if not any(each in part for part in parts))
    whole = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts)
    kept = b'Content-Type: multipart/%s;\r\n boundary="%s"\r\n\r\n' % (kind.encode("ascii"), boundary)
    return kept + whole + b"--" + boundary + b"--\r\n"


def whole(headers: Iterable[bytes], body: bytes) -> bytes:
    return b"".join(headers) + b"MIME-Version: 1.0\r\n" + body


def _boundaries(digest: str) -> Iterable[bytes]:
    return (f"=_{digest[at : at + 24]}_=".encode("ascii") for at in range(len(digest) - 24))


def _folded(name: str, value: str) -> bytes:
    line, lines = f"{name}:", []
    for word in value.split():
        if len(line) + 1 + len(word) > _NICE_LINE and not line.endswith(":"):
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\r\n".join([*lines, line, ""]).encode("ascii")
