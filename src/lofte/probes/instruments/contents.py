"""What kinds of data a value kept on a device holds. Only the kinds leave the browser's process, never the value."""

import base64
import binascii
import re
from collections.abc import Iterator
from urllib.parse import unquote

_KINDS = {
    "email": re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})*\.[A-Za-z]{2,}"),
    "phone": re.compile(r"\+\d{9,15}(?!\d)"),
    "ip": re.compile(r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w.])"),
    "address": re.compile(r"https?://\w"),
    # Seconds or thousandths since 1970, from 2017 to 2033.
    "time": re.compile(r"(?<![0-9A-Za-z])(?:1[5-9]\d{8}|1[5-9]\d{11})(?![0-9A-Za-z])"),
}
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")


def kinds_of(value: str) -> set[str]:
    """Of email, phone, ip, address and time, those a value holds: plain, percent-encoded or in Base64."""
    return {kind for text in _readings(value[:4096]) for kind, pattern in _KINDS.items() if pattern.search(text)}


def _readings(value: str) -> Iterator[str]:
    plain = unquote(unquote(value))
    yield plain
    for found in _BASE64.finditer(plain):
        coded = found.group().rstrip("=").replace("-", "+").replace("_", "/")
        try:
            text = base64.b64decode(coded + "=" * (-len(coded) % 4), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue  # letters that only look like it
        if text.isprintable():
            yield text
