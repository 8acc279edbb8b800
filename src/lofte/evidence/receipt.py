"""The receipt a person keeps: what was decided, the openings, and the proof that it was logged. Written here, read in
`verify`.

`who` is absent once it is shredded or when the receipt is shown to somebody else; the proof's extra line carries the
entry, so the receipt verifies all the same.
"""

import re
from base64 import b64encode

from lofte.kernel.problems import Problem

FORMAT = "receipt/1"
_ORIGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:/_-]{0,199}")

Opening = tuple[bytes, bytes]
"""Salt and payload, the payload being canonical JSON."""


def write_receipt(
    index: int, kind: str, policy: str, fact: Opening, who: Opening | None, proof: str, vkey: str
) -> bytes:
    """Canonical JSON. The payloads are placed as they are, since they are canonical already."""
    # Proof and vkey hold no quote, backslash or control sign but the newline (see `demand_plain_origin`).
    lines = proof.replace("\n", "\\n").encode()
    return b'{"fact":%b,"index":%d,"kind":"%b","lofte":"%b","policy":"%b","proof":"%b","vkey":"%b"%b}' % (
        _opening(fact),
        index,
        kind.encode(),
        FORMAT.encode(),
        policy.encode(),
        lines,
        vkey.encode(),
        b"" if who is None else b',"who":' + _opening(who),
    )


def _opening(opening: Opening) -> bytes:
    salt, payload = opening
    return b'{"payload":%b,"salt":"%b"}' % (payload, b64encode(salt))


def demand_plain_origin(origin: str) -> None:
    """An origin is a URL without its scheme (tlog-checkpoint); it stands in file names, headers and JSON as it is."""
    if not _ORIGIN.fullmatch(origin):
        raise Problem(
            "evidence.bad-origin",
            "the log's origin must be a URL without scheme",
            expected="for example example.com/log",
            status=500,
        )
