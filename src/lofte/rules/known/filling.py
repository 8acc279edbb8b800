"""`known: ga4`: what a policy leaves out of a declaration is taken from the catalogue, and the words of its cookies with it.

What the policy says itself always stands. Works on the plain values of policy.yaml before they are validated, so what is taken is
published like everything else: as values, not as a reference to a catalogue that may change.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lofte.rules.catalogue import LOCALES, room_words
from lofte.rules.known import Known, KnownCookie, catalogue, providers

_WORD = "cookies"
_ID = re.compile(r"[a-z][a-z0-9-]{0,63}")


def filled(content: Mapping[str, Any]) -> dict[str, Any]:
    """The declarations with everything taken from the catalogue that they name and leave out."""
    whole = dict(content)
    for section, taken in (("tags", _tag), ("recipients", _recipient), ("systems", _system)):
        if isinstance(items := content.get(section), dict):
            whole[section] = {key: taken(item) if isinstance(item, dict) else item for key, item in items.items()}
    cookies = content.get("cookies")
    if isinstance(cookies, dict):
        added = {key: each for key, each in _cookies(whole) if key not in cookies and not _declares(cookies, each)}
        whole["cookies"] = cookies | added
    return whole


def unknown(content: Mapping[str, Any]) -> Iterator[tuple[str, str, str, list[str]]]:
    """Names the catalogue does not have: section, id, name, and the names there are."""
    kinds = {
        "tags": [name for name, entry in catalogue().items() if entry.kind != "cms"],
        "systems": [name for name, entry in catalogue().items() if entry.kind == "cms"],
        "recipients": list(providers()),
    }
    for section, names in kinds.items():
        for key, item in _items(content, section):
            name = item.get("known")
            if isinstance(name, str) and name not in names:
                yield section, key, name, names


def with_words(words: Mapping[str, Any], locale: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """The short texts of a locale with the functions of those cookies that came from the catalogue."""
    said = words.get(_WORD)
    if locale not in LOCALES or not isinstance(said, dict | None):
        return dict(words)
    spoken = room_words(locale, "known")
    declared = content.get("cookies")
    taken = {key for _, entry in _taken(content) for key in entry.cookies if key not in (said or {})}
    added = {key: {"function": spoken[f"{_WORD}.{key}"]} for key in sorted(taken) if key in (declared or {})}
    return dict(words) | ({_WORD: {**(said or {}), **added}} if added else {})


def _tag(item: dict[str, Any]) -> dict[str, Any]:
    entry = catalogue().get(str(item.get("known")))
    if entry is None:
        return item
    frames = [frame.model_dump(mode="json", exclude_none=True) for frame in entry.frames]
    facts = {"name": entry.name, "hosts": list(entry.hosts), "data": list(entry.data)} | (
        {"frames": frames} if frames else {}
    )
    return facts | item


def _recipient(item: dict[str, Any]) -> dict[str, Any]:
    """Not the transfers: that a tool was relied on, and looked at, is the controller's to say."""
    maker = providers().get(str(item.get("known")))
    return item if maker is None else maker.model_dump(mode="json", exclude={"takes_to"}) | item


def _system(item: dict[str, Any]) -> dict[str, Any]:
    entry = catalogue().get(str(item.get("known")))
    if entry is None:
        return item
    return {"name": entry.name, "kind": entry.kind, "fields": list(entry.data)} | item


def _cookies(content: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for (section, key, item), entry in _taken(content):
        for name, cookie in entry.cookies.items():
            if section == "tags":
                if not _ID.fullmatch(str(item.get("recipient"))) or not _ID.fullmatch(str(item.get("purpose"))):
                    continue  # the tag is at fault, and is told so
                whose = {"provider": item.get("recipient"), "tag": key, "purpose": item.get("purpose")}
            elif (purpose := _purpose(content, cookie)) is not None:
                whose = {"provider": "self", "system": key, "purpose": purpose}
            else:
                continue
            said = cookie.model_dump(mode="json", exclude={"when", "purpose"}, exclude_none=True)
            yield name, said | whose


def _taken(content: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str, dict[str, Any]], Known]]:
    for section in ("tags", "systems"):
        for key, item in _items(content, section):
            entry = catalogue().get(str(item.get("known")))
            if entry is not None and (entry.kind == "cms") == (section == "systems"):
                yield (section, key, item), entry


def _purpose(content: Mapping[str, Any], cookie: KnownCookie) -> str | None:
    """The purpose of the policy that a system's cookie serves; None where only consent will do, and nobody asked for it."""
    kept = [key for key, purpose in _items(content, "purposes") if purpose.get("storage") == "necessary"]
    if cookie.purpose in kept:
        return cookie.purpose
    return kept[0] if kept and cookie.purpose in ("necessary", "functional") else None


def _declares(cookies: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    def identity(one: Mapping[str, Any]) -> tuple[Any, ...]:
        return one.get("name"), one.get("storage", "cookie"), one.get("host")

    return any(isinstance(one, dict) and identity(one) == identity(wanted) for one in cookies.values())


def _items(content: Mapping[str, Any], section: str) -> Iterator[tuple[str, dict[str, Any]]]:
    items = content.get(section)
    if isinstance(items, dict):
        yield from ((key, item) for key, item in items.items() if isinstance(item, dict))
