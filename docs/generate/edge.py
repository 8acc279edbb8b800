"""edge.md: the addresses the edge answers, what a decision looks like and why one may be refused.

Which addresses there are is read from the code; what they do is written here. The two must agree, or the generator stops.
"""

import dataclasses
import re

from docs.generate.markdown import block, code, page, source, table

from lofte.edge.app import _ROUTES
from lofte.edge.config import DJANGO_PREFIXES, EdgeConfig
from lofte.edge.proofs import WITHOUT_A_PERSON
from lofte.edge.refusals import STATUS, Refusal
from lofte.rules.catalogue import say

NAME = "edge.md"
LOCALE = "en-GB"

# path, answers with, what for; {m}/{l} is market in small letters and locale, such as gb/en-GB
ROUTES = (
    (
        "GET /lofte/banner?market=&locale=&back=",
        "HTML part",
        "The banner with a fresh token, for pages that fetch it; the gate places it without a request.",
    ),
    ("POST /lofte/consent", "201 JSON, or 303 for a form", "Records a decision; see below."),
    (
        "GET /lofte/preferences/{m}/{l}/?back=",
        "page",
        "The choices of this browser, to be changed or withdrawn, with the receipts of earlier ones.",
    ),
    (
        "GET /lofte/policy/{m}/{l}/",
        "page",
        "The policy, with today's verdict beside each promise where the policy lets everyone see it.",
    ),
    ("GET /lofte/policy/{m}/{l}/versions/", "page", "Every version, newest first."),
    ("GET /lofte/policy/{m}/{l}/versions/<digest>/", "page", "One version as it was."),
    ("GET /lofte/cookies/{m}/{l}/", "page", "The cookie list."),
    ("GET /lofte/changes/{m}/{l}/", "page", "What the version in force changed."),
    (
        "GET /lofte/gate.json?market=&locale=",
        "JSON",
        "Guard, banner, placeholders, declarations and policy header for gates in other languages; the same for everyone.",
    ),
    (
        "GET /lofte/chosen.css",
        "style sheet",
        "What a browser without scripts needs to know of its own choice; never cached.",
    ),
    ("GET /lofte/policy.json", "JSON", "The machine-readable policy in force; readable from other origins."),
    (
        "GET /lofte/receipt/<index>?code=",
        "JSON file",
        "The receipt of an entry, for whoever holds its code. A wrong code finds nothing.",
    ),
    ("GET /lofte/receipt/<index>.html?code=", "page", "The same as one page that verifies itself, with no network."),
    ("GET /lofte/evidence/<index>", "page, or JSON by Accept or ?format=json", "An entry without a person: KINDS."),
    ("GET /lofte/log/checkpoint", "text", "The signed head of the evidence log; readable from other origins."),
    ("GET /lofte/log/key", "text", "The log's public key (a vkey)."),
    (
        "GET /lofte/log/tile/<level>/<index>",
        "bytes",
        "The log as C2SP tiles; `entries` for the entries, `.p/<width>` for a partial tile.",
    ),
    ("POST /lofte/csp-report", "204", "What a browser held back; kept are host, directive and path."),
    (
        "POST /lofte/signal?market=&locale=",
        "201 or 204",
        "Global Privacy Control, kept as a refusal (method `gpc`) where the market's law wants it remembered; else nothing.",
    ),
    (
        "GET /lofte/static/<name>",
        "file",
        "Our own style sheet; for held frames and for the guard, what comes later.",
    ),
    (
        "GET /lofte/poster/<tag>/<id>.<mac>",
        "image",
        "The kept picture of a held frame, at an address only the gate can sign; blank until the server has fetched it.",
    ),
    (
        "GET /lofte/frame?src=",
        "page",
        "One frame of a declared tag, in a page whose policy lets in that tag's hosts; only inside pages of the site.",
    ),
    ("GET /.well-known/gpc.json", "JSON", "That Global Privacy Control is honoured."),
    ("GET /healthz", "200 JSON", "The process answers. Nothing more is claimed."),
    (
        "GET /readyz",
        "200 or 503 JSON",
        "Whether a decision could be recorded now: log writable, publication loaded, room in the queue.",
    ),
    ("GET /metrics", "text", "Counts for Prometheus; see [metrics](metrics.md)."),
)

_LEAD = """One process answers on one port. Addresses below `/lofte/` and those of operation are answered by the edge;
PREFIXES go to the pages for people; everything else goes through the gate to the site. `{m}/{l}` is the market in
small letters and the locale, such as `gb/en-GB`. Every address that is read answers GET, HEAD and OPTIONS. Refusals
are RFC 9457 problem documents, or a page for a browser."""

_FIELDS = (
    (
        "token",
        "text",
        "the subject token from the form: signed by us, valid for a day, bound to market, locale and publication",
    ),
    ("market", "text", "market id, `GB`"),
    ("locale", "text", "locale, `en-GB`"),
    ("publication", "text", "digest of the publication that was shown"),
    ("wording", "text", "hash of the words that were shown"),
    ("choices", "object", "purpose → true or false; what is not named counts as refused"),
    ("action", "text", "`decide`, or `withdraw`, which refuses everything and deletes what is declared"),
)

_JSON = """{
  "token": "v1....",
  "market": "GB",
  "locale": "en-GB",
  "publication": "9a7a938c...",
  "wording": "51c0...",
  "choices": {"statistics": true, "marketing": false},
  "action": "decide"
}"""

_ANSWER = """A form sends the same fields, with `choice.<purpose>=on` for a ticked purpose, `decision` (`accept`,
`reject`, `save` or `withdraw`) and `back`, a path of this site to return to. JSON is answered with 201 and an
*acknowledgement*: both openings, the signed head that covers the entry, and under `receipt` and `page` the addresses
of the receipt (format: [evidence](evidence.md)). A form is answered with 303 to `back`. Either sets the cookie
`lofte` and deletes the declared cookies of purposes that are refused.

Nothing is acknowledged before it is on disk. The same body under the same token is one entry, however often it is
sent. Sending a decision needs no cookie; `Origin` or `Sec-Fetch-Site`, where the browser sends them, must name this
site. For longer than SIZE bytes: `too-large`."""


def made() -> str:
    _demand_all_described()
    kinds = ", ".join(sorted(WITHOUT_A_PERSON))
    prefixes = ", ".join(map(code, DJANGO_PREFIXES))
    routes = [(code(path), answer, text.replace("KINDS", kinds)) for path, answer, text in ROUTES]
    fields = table(("member", "type", "is"), [(code(name), kind, text) for name, kind, text in _FIELDS])
    reasons = [
        (
            code(each.value),
            STATUS[each],
            say(LOCALE, f"edge.refused.{each}.detail"),
            say(LOCALE, f"edge.refused.{each}.way_out"),
        )
        for each in Refusal
    ]
    return page(
        "The edge", _LEAD.replace("PREFIXES", prefixes), "## Addresses", table(("address", "answers with", "for"), routes),
        "## POST /lofte/consent", block(_JSON, "json"), fields, _ANSWER.replace("SIZE", _largest()), "## Refusals",
        "A closed set, counted in `lofte_consents_refused_total`. The problem's type is `urn:lofte:problem:consent.<reason>`.",
        table(("reason", "status", "words", "way out"), reasons),
    )  # fmt: skip


def routes_in_code() -> set[str]:
    """First parts below /lofte/, and the addresses that are answered whole."""
    whole = re.findall(r'"(/[a-z.\-/]+)": \("', source("src/lofte/edge/app.py"))
    return {*whole, *(f"/lofte/{route}" for route in _ROUTES), "/lofte/consent"}


def _demand_all_described() -> None:
    described = " ".join(path for path, _, _ in ROUTES)
    if missing := [route for route in routes_in_code() if route not in described]:
        raise LookupError(f"describe these addresses in docs/generate/edge.py: {sorted(missing)}")


def _largest() -> str:

    return f"{next(each.default for each in dataclasses.fields(EdgeConfig) if each.name == 'largest_consent_bytes'):,}"
