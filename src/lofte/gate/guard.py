"""The guard: the first script of every page. It knows the visitor's choice, lets in what it allows, and refuses the rest.

The held page is the same for everyone; this is where it becomes one visitor's. The guard reads the readable cookie
`lofte_on` and Global Privacy Control and stands in front of what page code would load, send or store: a host or a name no policy
declares, or of a purpose not allowed, is refused.

What need not be there before page code runs is a file of its own, asked for when there is something to do and kept by the browser:
`release.js` releases held elements in the order of the page, reports each refusal once, by name, without the long numbers in it,
never by value, and removes what is left over from a purpose no longer allowed. Where it cannot be had, nothing is released.

The same bytes for everyone in a market. It is the inner wall: what goes round it meets the Content Security Policy.
"""

import json
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from lofte.gate.consent import Declarations
from lofte.rules.model import StorageModel

# When a purpose may run: always; until somebody objects; the same, and Global Privacy Control objects; when it was chosen.
_MODELS = {
    StorageModel.NECESSARY: 0,
    StorageModel.EXEMPT_WITH_OBJECTION: 1,
    StorageModel.OPT_OUT: 2,
    StorageModel.OPT_IN: 3,
}
_KINDS = ("cookie", "local", "session", "indexeddb")
_Group = dict[tuple[str, str], list[str]]  # (purpose, path) -> patterns
STATIC = Path(__file__).parent / "static"


def script(
    declarations: Declarations, own_hosts: Iterable[str], *, strict: bool, has_release: bool = False
) -> str:  # fmt: skip
    """The guard of one publication and market.

    ``strict``: a policy header stands behind it, and a loaded page cannot be opened further. ``has_release``: `release` comes
    with it and need not be fetched.
    """
    names: list[_Group] = [{} for _ in range(len(_KINDS) + 1)]
    for cookie in declarations.first_party:
        if not cookie.http_only:  # those are the server's alone
            path = "" if cookie.path == "/" else cookie.path
            names[_KINDS.index(cookie.storage)].setdefault((cookie.purpose, path), []).append(cookie.name)
    hosts: _Group = {}
    stand_ins = [(seen, p) for seen in declarations.host_map for p in declarations.purposes_of_host(seen)]
    for seen, purpose in [*declarations.patterns, *stand_ins]:
        hosts.setdefault((purpose, ""), []).append(seen)
    data = {
        "d": declarations.digest[:16],
        "r": int(strict),
        "k": {key: _MODELS[model] for key, model in declarations.models.items()},
        "n": [_grouped(kind) for kind in names],
        "o": sorted(own_hosts),
        "h": _grouped(hosts),
    }
    if not has_release:
        data["l"] = release_address()
    text = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    return source(strict=strict).replace("DATA", text, 1)


@cache
def release_address() -> str:
    """Where `release.js` is: another address when it has changed, so that an old one kept by a browser meets no new guard."""
    return f"/lofte/static/release.js?v={sha256(release().encode()).hexdigest()[:8]}"


@cache
def release() -> str:
    """The script that the guard lets in once."""
    return STATIC.joinpath("release.js").read_text("utf-8")


@cache
def source(*, strict: bool) -> str:
    """The script without its data. In strict mode without what the policy header does better."""
    other = "soft" if strict else "strict"
    lines, is_left_out = [], False
    for line in files("lofte.gate").joinpath("guard.js").read_text("utf-8").splitlines():
        if line in (f"//+{other}", f"//-{other}"):
            is_left_out = line == f"//+{other}"
        elif not is_left_out and not line.startswith("//"):
            lines.append(line)
    return "".join(lines)


def _grouped(patterns: _Group) -> list[list[str]]:
    """``[purpose, path, pattern...]``; in a pattern `*` stands for anything. A path is empty where it is the root."""
    return [[purpose, path, *dict.fromkeys(those)] for (purpose, path), those in patterns.items()]
