"""api.md: what other systems may ask over HTTP, every reason they may be given, and every refusal.

The keys, scopes and limits are read from the code, the reasons from the words of the interface; a key nobody tells of stops the
generator.
"""

from collections.abc import Iterator, Mapping

from docs.generate.markdown import block, code, page, table

from lofte.core.gates.tokens import DEFAULT_DAYS, DEFAULT_PER_MINUTE, LONGEST_DAYS, SCOPES
from lofte.rules.catalogue import room_words
from lofte.web.api.wish import LARGEST_BODY, Person, Wish

NAME = "api.md"
LOCALE = "en-GB"

WISH = {
    "act": "`use`: work with the data; `send`: write to the person; `share`: let the data leave for somebody else",
    "purpose": "a purpose of the policy",
    "fields": "at least one field of the policy",
    "recipient": "`share`: a recipient of the policy; needed there, and only there",
    "country": "`share`: one of the countries the recipient takes data to; without it all of them are asked",
    "market": "where the person is known; taken from the register when a person is named; `share` without a person needs it",
    "person": "whom it is about; without it the answer is about the policy and what is on file",
}
PERSON = {
    "id": "the handle this installation gave",
    "field": "or a field that people are found by, with `value`; needs the scope `people:find`",
    "value": "the address or number; it is looked up and kept nowhere",
    "country": "helps to read a telephone number without a country code",
}
ANSWER = (
    ("allowed", "true or false"),
    ("reason", "a stable code, see below"),
    ("said", "the reason in words, by `Accept-Language` (sv, nb, fi, en-GB, en-US)"),
    ("promise", "the promise of the policy it rests on"),
    ("promised", "what that promise says"),
    ("law", "the article"),
    ("evidence", "the place of this decision in the evidence log, where it stands since before the answer left"),
    ("policy", "the digest of the publication in force"),
    ("at", "when it was decided, UTC"),
)
REFUSALS = (
    (400, "api.unreadable", "the body is not JSON"),
    (401, "token.invalid", "the token is missing, wrong, revoked or over; with `WWW-Authenticate`"),
    (403, "token.scope", "the token has not the scope for this"),
    (405, "api.method", "anything but POST"),
    (413, "api.too-large", f"more than {LARGEST_BODY:,} bytes"),
    (415, "api.not-json", "the body is not sent as `application/json`"),
    (422, "api.unfit", "not a question; `key` says where"),
    (
        429,
        "token.too-often",
        "more questions a minute than the token may ask, or too many wrong tokens; with `Retry-After`",
    ),
    (503, "evidence.*", "the decision cannot be kept, so there is no answer"),
)
_ALLOWED = frozenset({"declared", "agreement", "processor", "authority", "merger"})
_LEAD = """One address, `POST /api/decide`, answers *may I use, send or share this for that?* with JSON. A token is sent as
`Authorization: Bearer lofte_...`; no cookie is read and none is set. How to make a token and live by the answers:
[Ask from another system](../howto/ask-from-another-system.md); a Python client is in `clients/python`."""
_EXAMPLE = """{"act": "share", "purpose": "contact", "fields": ["name", "email"], "recipient": "partners-se",
 "person": {"id": "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"}}"""
_KEPT = """Each question is an entry of kind `decision` in the evidence log: act, purpose, fields, recipient, country, market, the
answer, and which token asked. Names that the policy does not have are left out, since they could be anything. The person's handle
is sealed apart and destroyed with the person; they find the entry in their copy."""


def made() -> str:
    _demand_told(WISH, Wish.model_fields)
    _demand_told(PERSON, Person.model_fields)
    return page(
        "The HTTP interface for other systems",
        _LEAD,
        "## The question",
        block(_EXAMPLE, "json"),
        table(("key", "is"), ((code(key), said) for key, said in WISH.items())),
        "`person` is an object:",
        table(("key", "is"), ((code(key), said) for key, said in PERSON.items())),
        "## The answer",
        table(("key", "is"), ((code(key), said) for key, said in ANSWER)),
        _KEPT,
        "## Reasons",
        table(("reason", "answer", "means"), _reasons()),
        "## Refusals",
        "What is not an answer is a problem document (RFC 9457), `application/problem+json`, and never repeats what was sent.",
        table(("status", "title", "when"), ((status, code(title), said) for status, title, said in REFUSALS)),
        "## Tokens",
        f"A token lasts {DEFAULT_DAYS} days unless said otherwise, {LONGEST_DAYS} at most, and may ask {DEFAULT_PER_MINUTE} times "
        f"a minute unless said otherwise. Only its SHA-256 is kept. Scopes: {', '.join(map(code, SCOPES))}.",
    )


def _reasons() -> Iterator[tuple[str, str, str]]:
    for key, said in sorted(room_words(LOCALE, "gates").items()):
        name = key.removeprefix("reason.")
        if key != name and name != "by_law":  # what only the law asks of us is no purpose of another system
            yield code(name.replace("_", "-")), "yes" if name in _ALLOWED else "no", said
    for key, said in sorted(room_words(LOCALE, "law").items()):
        name = key.removeprefix("reason.transfers.")
        if key != name and name not in ("no_limit", "free", "adequate", "listed") and not name.startswith("by_"):
            yield code(f"transfer-{name.replace('_', '-')}"), "no", said


def _demand_told(told: Mapping[str, str], known: Mapping[str, object]) -> None:
    if set(told) != set(known):
        raise SystemExit(f"docs/generate/api.py does not tell of {', '.join(sorted(set(told) ^ set(known)))}")
