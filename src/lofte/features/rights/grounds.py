"""Which requests are answered with words and which with acts, how people become known, why time is extended and requests refused.

Source: GDPR 11, 12, 15-18, 20, 21 and their British twins; C.R.S. 6-1-1304, 6-1-1306.
"""

from collections.abc import Mapping

from lofte.features.rights.models import Request

Right = Request.Right

TALKS = frozenset({Right.QUESTION, Right.COMPLAINT, Right.APPEAL})
"""What is answered with words: nobody need prove who they are, and the end is *answered*, not *done*."""

HOW_KNOWN = ("mailbox", "call_back", "in_person", "account", "another")
"""How staff came to know who somebody is; the first is the link to the address on file."""

EXTENSIONS = ("complex", "many")  # GDPR 12(3)

_ACTS = frozenset(Right) - TALKS
REFUSALS: Mapping[str, tuple[frozenset[str], str, str]] = {
    "unfounded": (_ACTS - {Right.WITHDRAWAL} | {Right.QUESTION}, "12(5)", "6-1-1306(2)(c)"),
    "excessive": (_ACTS - {Right.WITHDRAWAL} | {Right.QUESTION}, "12(5)", "6-1-1306(2)(c)"),
    "identity": (_ACTS, "12(2), 11(2)", "6-1-1306(2)(d)"),
    "not_held": (
        frozenset({Right.ACCESS, Right.PORTABILITY, Right.RECTIFICATION, Right.ERASURE, Right.RESTRICTION}), "15(1)", "6-1-1306(1)",
    ),
    "legal_obligation": (frozenset({Right.ERASURE}), "17(3)(b)", "6-1-1304(3)(a)"),
    "claims": (frozenset({Right.ERASURE, Right.OBJECTION}), "17(3)(e), 21(1)", "6-1-1304(3)(a)"),
    "others_rights": (frozenset({Right.ACCESS, Right.PORTABILITY}), "15(4), 20(4)", "6-1-1304(3)(b)"),
    "conditions": (
        frozenset({Right.RECTIFICATION, Right.ERASURE, Right.PORTABILITY, Right.RESTRICTION}), "16, 17(1), 18(1), 20(1)",
        "6-1-1306(1)",
    ),
    "compelling_grounds": (frozenset({Right.OBJECTION}), "21(1)", "6-1-1306(1)(a)"),
    "upheld": (frozenset({Right.APPEAL, Right.COMPLAINT}), "12(4)", "6-1-1306(3)"),
}  # fmt: skip
"""Why a request may be refused: for which rights, the article of the (UK) Regulation, the section of the Colorado act."""


def refusals_for(right: str) -> tuple[str, ...]:
    """The reasons for which this right may be refused."""
    return tuple(reason for reason, (rights, _, _) in REFUSALS.items() if right in rights)


def law_of(reason: str, law: str) -> str:
    """The article a refusal rests on in a jurisdiction."""
    _, article, section = REFUSALS[reason]
    if law.startswith("US"):
        return f"C.R.S. {section}"
    return f"UK GDPR {article}" if law == "GB" else f"GDPR {article}"
