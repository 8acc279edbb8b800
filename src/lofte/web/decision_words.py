"""The reason of a decision in words, and the promise it rests on. Codes come from `core.decisions`."""

from lofte.kernel.problems import Problem
from lofte.rules.catalogue import room_words, say
from lofte.rules.published import Published

_OF_LAW = {"transfer-": "transfers", "marketing-": "marketing"}


def said(locale: str, reason: str) -> str:
    """One sentence for a reason; the code itself for one that has no words."""
    for prefix, section in _OF_LAW.items():
        if reason.startswith(prefix):
            key = f"reason.{section}.{reason.removeprefix(prefix).replace('-', '_')}"
            return say(locale, f"law.{key}") if key in room_words(locale, "law") else reason
    key = f"reason.{reason.replace('-', '_')}"
    return say(locale, f"gates.{key}") if key in room_words(locale, "gates") else reason


def promised(published: Published, locale: str, promise: str) -> str:
    """What the promise says, as the policy has it in this language; empty when the policy lacks the words."""
    for tag in (locale, *published.policy.locales()):
        try:
            return published.word(tag, "promises", promise, "title") if promise else ""
        except Problem:
            continue
    return ""
