"""Every control, one `.py` and one `.yaml` a control. Adding a control is adding these two files.

`all_controls()` finds them by looking into the folder; modules whose name starts with an underscore are shared parts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module, resources
from pkgutil import iter_modules
from typing import Any

from ruamel.yaml import YAML

from lofte.rules.control import Control, Verdict

LOCALES = ("sv", "nb", "fi", "en-GB", "en-US")


@dataclass(frozen=True, slots=True)
class Words:
    """A control's words in one locale. ``missing`` is empty once the control can be proved."""

    name: str
    asserts: str
    reasons: Mapping[str, str]
    missing: str = ""


@cache
def all_controls() -> Mapping[str, Control]:
    """Every control by id."""
    names = sorted(found.name for found in iter_modules(__path__) if not found.name.startswith("_"))
    return {name: import_module(f"{__name__}.{name}").CONTROL for name in names}


@cache
def words_of(control_id: str) -> Mapping[str, Words]:
    """The words of a control by locale. Raises FileNotFoundError for an unknown control."""
    return {
        locale: Words(part["name"], part["asserts"], part.get("reasons", {}), part.get("missing", ""))
        for locale, part in _read(f"{control_id}.yaml").items()
    }


def reason(control_id: str, verdict: Verdict, locale: str) -> str:
    """Why the verdict is what it is, in one or two sentences of the reader's language.

    A verdict kept from an earlier version of the control may lack what the words of today tell; then it says that.
    """
    own = words_of(control_id)[locale] if control_id in all_controls() else None
    if verdict.reason == "no-probe" and own is not None and own.missing:
        return own.missing
    text = own.reasons.get(verdict.reason) if own is not None else None
    shared = _shared_reasons()[locale]
    if text is None:
        text = shared.get(verdict.reason, shared["outdated"])
    try:
        return text.format(**verdict.facts)
    except KeyError:
        return shared["outdated"]


@cache
def _shared_reasons() -> Mapping[str, Mapping[str, str]]:
    """Reasons any control may have: stale, no browser, no probe, a check that failed."""
    return _read("_reasons.yaml")


def _read(name: str) -> Mapping[str, Any]:
    text = resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
    found: Mapping[str, Any] = YAML(typ="safe", pure=True).load(text)
    return found
