"""The words of the interface: what screens, banners and errors say, in every locale.

Words live in `lofte/locales/<locale>/<room>.yaml` as whole sentences with `{name}` slots; the first part of a key
names the file. Legal text never comes from here: a policy brings its own. Anyone may call `say`; a missing key is
a programming error and raises KeyError, and a test demands the same keys and slots in all locales.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from io import StringIO
from types import MappingProxyType
from typing import Any

from ruamel.yaml import YAML

LOCALES = ("sv", "nb", "fi", "en-GB", "en-US")

_SLOT = re.compile(r"\{([a-z_]+)\}")


def say(locale: str, key: str, **slots: object) -> str:
    """The words for a key such as ``portal.title``, with their slots filled as plain text (escape for HTML yourself).

    With ``n`` the key's ``.one`` or ``.other`` form is chosen; the five languages share that rule (CLDR: one is n = 1).
    Raises KeyError for an unknown locale, key or slot.
    """
    room, _, rest = key.partition(".")
    words = room_words(locale, room)
    if "n" in slots and rest not in words:
        rest = f"{rest}.one" if slots["n"] == 1 else f"{rest}.other"
    if rest not in words:
        raise KeyError(f"no words for {key} in {locale}")
    return _SLOT.sub(lambda found: str(slots[found.group(1)]), words[rest])


@cache
def room_words(locale: str, room: str) -> Mapping[str, str]:
    """All words of one room, keys flattened with dots. Raises KeyError when the room has none in this locale."""
    if locale not in LOCALES or not re.fullmatch(r"[a-z][a-z0-9_-]*", room):
        raise KeyError(f"no words for {room} in {locale}")
    found = files("lofte") / "locales" / locale / f"{room}.yaml"
    if not found.is_file():
        raise KeyError(f"no words for {room} in {locale}")
    # pure: the C reader is YAML 1.1, where the key NO is False
    content = YAML(typ="safe", pure=True).load(StringIO(found.read_text(encoding="utf-8")))
    return MappingProxyType(dict(_flatten(content or {}, "")))


def rooms(locale: str) -> list[str]:
    """The rooms that have words in this locale, by file name."""
    folder = files("lofte") / "locales" / locale
    if not folder.is_dir():
        return []
    return sorted(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml"))


def slots_of(words: str) -> frozenset[str]:
    return frozenset(_SLOT.findall(words))


def _flatten(content: Mapping[Any, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in content.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{key}.")
        elif isinstance(value, str):
            yield key, value
        else:
            raise TypeError(f"{key} is not text: {value!r}")
