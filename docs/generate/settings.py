"""settings.md: every setting with type, unit, default, and the trust line.

Names, types and defaults come from the code; what they mean and who must protect them is written here. A variable or field of the
code that is not described here stops the generator.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields
from typing import Any

from docs.generate.markdown import ROOT, code, page, table

from lofte.edge.config import EdgeConfig

NAME = "settings.md"


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable. ``protect`` says who must guard it, ``attacker`` what one who sets it could do."""

    name: str
    form: str
    default: str
    meaning: str
    protect: str
    attacker: str


VARIABLES = (
    Variable(
        "LOFTE_HOME",
        "path of a directory",
        "none; required (`scripts/run`: `.home` in the repository)",
        "The data directory: stores, keys, publications. Made with mode 0700 when it is not there.",
        "Whoever runs the server. Only its user may read or write below it.",
        "Start the server on a data directory of their own: other keys, another policy, an empty register.",
    ),
    Variable(
        "LOFTE_ORIGIN",
        "URL of scheme, host and port, no path",
        "`http://localhost:8000`; `lofte serve`: the port it listens on",
        "Where people reach the installation. Stands in every mail; names the evidence log at its "
        "first start; `https` makes every cookie Secure and sends HSTS.",
        "Whoever runs the server.",
        "Make mails link to a site of theirs, and so collect the single-use links of people.",
    ),
    Variable(
        "LOFTE_DATABASE",
        "`postgresql://user:password@host:port/name`, or empty",
        "empty: `<home>/register.sqlite3` and `<home>/evidence.sqlite3`",
        "Where the register and the evidence log are kept. Values in the register are sealed; the log holds commitments.",
        "Whoever runs the server; it holds a password, so keep it out of shell histories and process lists.",
        "Serve another register. With the database's password: delete or roll back rows and see which rows "
        "belong together, but open no sealed value, which takes the keys.",
    ),
    Variable(
        "LOFTE_KEYS_DATABASE",
        "`postgresql://...`, or empty",
        "empty: `<home>/keys.sqlite3`",
        "Where each person's wrapped key is kept. Empty is right beside PostgreSQL too: keys and what they seal belong apart.",
        "Whoever runs the server.",
        "Put back the keys of erased people from an old copy, as long as its epoch key still exists.",
    ),
    Variable(
        "LOFTE_SURVIVING_DATABASE",
        "`postgresql://user:password@host:port/name`, or empty",
        "empty",
        "Read by `lofte restore --surviving` only: the database of the house that was lost, whose log is newer than any copy.",
        "Whoever restores; it holds a password.",
        "Nothing by itself: a log that does not go on from the copy, or was not signed by its key, is refused.",
    ),
    Variable(
        "LOFTE_SMTP",
        "`smtp://host:port` or `smtp+tls://user:password@host:587`",
        "empty: letters wait in the queue",
        "The mail server. `smtp+tls` demands STARTTLS.",
        "Whoever runs the server; it may hold a password.",
        "Read every letter, and with it the single-use links that open the portal.",
    ),
    Variable(
        "LOFTE_MAIL_FROM",
        "`name@host` or `Name <name@host>`",
        "`noreply@` and the host of the origin",
        "Sender of every letter.",
        "Whoever runs the server.",
        "Make replies go to somebody else.",
    ),
    Variable(
        "LOFTE_MAIL_DOMAIN",
        "a domain, such as `lofte.example.com`",
        "empty: no mail reaches us",
        "The domain whose mail is given to Löfte: answers, bounces, complaints. Set, letters get an envelope sender and, where "
        "an answer is wanted, a Reply-To in it.",
        "Whoever runs the server and the DNS of the domain (its MX).",
        "Let answers and bounces go to a domain of theirs.",
    ),
    Variable(
        "LOFTE_INBOUND",
        "`smtp://host:port` or `lmtp://host:port`",
        "empty: mail comes through `lofte mail receive`, if at all",
        "Where `lofte serve` listens for that mail. It takes letters to addresses it has given out, and nothing else. Bind it to "
        "loopback or an inner network: a mail server belongs in front.",
        "Whoever runs the server.",
        "Offer the listener to the open network.",
    ),
    Variable(
        "LOFTE_DKIM",
        "`selector._domainkey.example.com`",
        "empty: letters leave unsigned, which is right where the mail server signs",
        "The DNS record letters are signed for, with the key that `lofte mail key` made.",
        "Whoever runs the server. The key below `<home>/keys` is what counts.",
        "Make signatures fail, and letters with them.",
    ),
    Variable(
        "LOFTE_CANARY_MAILBOX",
        "base address of a Mailpit-compatible mailbox",
        "empty: no canary, and what needs one is unproved",
        "The mailbox in which the canary person's letters are read by probes. Never a mailbox of real people.",
        "Whoever runs the server.",
        "Feed the probes letters that were never sent, so that a broken promise reads kept.",
    ),
    Variable(
        "LOFTE_OUTBOUND",
        "host names, comma between",
        "empty",
        "Hosts inside a private network that the server itself may reach; all others are refused.",
        "Whoever runs the server.",
        "Make the server reach internal hosts (SSRF).",
    ),
    Variable(
        "LOFTE_SOURCE",
        "database URL",
        "none",
        "The database a mapping connects to; the mapping file names the variable, so a second one may be LOFTE_SOURCE_CRM.",
        "Whoever runs the server: it holds a password.",
        "Read and erase in that database with the rights of its account.",
    ),
    Variable(
        "LOFTE_PORT",
        "number, 1 to 65535",
        "`8000`",
        "The port of `lofte serve` and of the demonstration.",
        "Whoever runs the server.",
        "Nothing by itself.",
    ),
)
FOR_TESTS = {
    "LOFTE_FIREFOX": "the Firefox that the tests drive (default: `firefox-esr` or `firefox` on the path)",
    "LOFTE_WORDPRESS_URL": "the site of a test's mapping; a mapping names the variable itself",
    "LOFTE_WORDPRESS_KEY": "the key of a test's mapping; a mapping names the variable itself",
    "LOFTE_SOURCE_SHOP": "the database of a test's mapping",
    "LOFTE_CHROMIUM": "the browser the tests drive; `scripts/test` sets it",
    "LOFTE_TEST_POSTGRES": "URL of a PostgreSQL cluster for the tests; `scripts/test` starts one",
    "LOFTE_TEST_WORDPRESS": "a folder with another WordPress than Debian's, for the tests of the plugin",
    "LOFTE_TEST_WP_CONSENT_API": "a folder with the WP Consent API plugin, for the tests of the plugin",
    "LOFTE_TEST_WORKERS": "how many tests run at once, 2 unless said",
    "LOFTE_SCREENSHOTS": "a folder where the walks in a browser keep a picture of each page",
    "LOFTE_TEST_LEASE_S": "seconds a writer's lease lasts in the drills of the PostgreSQL log",
    "LOFTE_BENCH_DIR": "where the benchmarks write; the disk under it is what they measure",
}
SETTINGS_ONLY = {"LOFTE_CANARY_DOMAIN"}  # a Django setting that tests may set; no environment variable sets it

# unit, meaning, who must protect it and what an attacker who controls it could do
EDGE = {
    "home": ("path", "The data directory. Who writes there decides what people are promised."),
    "origins": (
        "origins",
        "Further origins whose pages may send decisions here. Who controls the list lets other sites decide for visitors.",
    ),
    "trusted_scheme": (
        "`https` or empty",
        "Set behind a proxy that ends TLS, so that cookies are Secure. Wrongly empty, cookies travel in the clear.",
    ),
    "django_prefixes": (
        "path prefixes",
        "What goes to the pages for people. A prefix left out is answered by the site instead.",
    ),
    "static_folders": ("paths", "Further folders served under `/lofte/static/`. Everything in them is public."),
    "host_map": (
        "hosts",
        "Stand-ins for third parties, as the gate has them: `/lofte/frame` loads them as the hosts they play. For tests "
        "and demonstrations only.",
    ),
    "token_age_s": (
        "seconds",
        "How long a choice may lie on the screen. Longer gives more time to replay a stolen token.",
    ),
    "largest_consent_bytes": (
        "bytes",
        "Largest decision that is read; an honest one is about 700. Larger lets strangers fill memory.",
    ),
    "largest_report_bytes": ("bytes", "Largest report of a browser that is read."),
    "body_timeout_s": ("seconds", "How long a body may take to arrive. Longer lets slow senders hold connections."),
    "longest_queue": (
        "decisions",
        "How many may wait for the disk; beyond, the answer is 503 and the visitor is asked again later.",
    ),
    "consent_rate_per_s": (
        "decisions a second",
        "How fast one address may decide. Higher lets one address fill the log.",
    ),
    "consent_burst": ("decisions", "How many one address may send at once before the rate applies."),
    "read_rate_per_s": (
        "requests a second",
        "How fast one address may read receipts, evidence, history and tiles; each reads the log.",
    ),
    "read_burst": ("requests", "How many at once before the rate applies."),
    "report_rate_per_s": ("reports a second", "How fast one address may report what a browser held back."),
    "report_burst": ("reports", "How many at once before the rate applies."),
    "metrics_token": (
        "text",
        "When set, `/metrics` asks for it as a bearer token. Who has it sees counts, nothing personal.",
    ),
    "writes_access_log": ("yes or no", "One JSON line an answer, with route and status; never an address or a query."),
    "on_report": ("function", "Is told what browsers held back: host, directive, path."),
    "now": ("function", "The clock. Who controls it can date decisions."),
}

HOME = (
    (
        "register.sqlite3",
        "people, sealed; queues; verdicts; staff",
        "register",
        "loses people's records and what they are owed",
    ),
    ("evidence.sqlite3", "the evidence log", "log", "loses proof; receipts people hold still verify"),
    ("keys.sqlite3", "each person's key, wrapped", "keys", "makes every sealed value unreadable for ever"),
    (
        "keys/epoch-*.key",
        "wraps the keys in keys.sqlite3; replaced every seven days",
        "keys",
        "makes every sealed value unreadable for ever",
    ),
    (
        "keys/house.key",
        "seals what belongs to nobody known yet, such as a request for a link",
        "keys",
        "loses such requests",
    ),
    (
        "keys/blind.key",
        "finds people by address without storing it in the clear",
        "keys",
        "nobody is found by address any more",
    ),
    ("keys/site.id", "mixed into each blind index and ciphertext; not secret, never changed", "keys", "as blind.key"),
    ("keys/log.key", "signs the heads of the log", "keys", "the log cannot grow; old receipts still verify"),
    (
        "keys/last_signed",
        "the newest signed head, so that a rolled-back log is noticed",
        "keys",
        "a roll-back goes unnoticed",
    ),
    (
        "keys/subject.key",
        "signs the `lofte` cookie, subject tokens and the codes of receipts",
        "keys",
        "everybody is asked anew",
    ),
    ("keys/django.key", "signs staff and portal sessions", "keys", "everybody logs in again"),
    ("keys/limits.key", "counts tries without naming who tried", "keys", "counters start at zero"),
    (
        "restoring.json",
        "says that a restore is under way; while it is there nobody enters",
        "none",
        "the door opens before erasures are replayed: never delete it by hand",
    ),
    (
        "published/",
        "every publication, frozen, and the newest verdicts",
        "log",
        "publish again; earlier versions are gone",
    ),
)

_LEAD = """Settings come from the environment and from the options of [`lofte serve`](commands.md#lofte-serve). A value
that is not understood stops the start with one line that names it; nothing is guessed. Secrets are files under
`<home>/keys`, made at the first start with mode 0600, never variables (a database or mail password in a URL is the
exception).

Who can set these variables, or read `<home>/keys`, controls the installation. The trust lines say what each alone
gives away."""


def made() -> str:
    _demand_all_described()
    tests = table(("variable", "for"), [(code(name), meaning) for name, meaning in FOR_TESTS.items()])
    return page(
        "Settings", _LEAD, "## Environment", *(_variable(each) for each in VARIABLES), "### For tests and benchmarks", tests,
        "## The data directory", _HOME_LEAD, _home(),
        "## The edge", _EDGE_LEAD, table(("field", "unit", "default", "meaning and trust"), list(_edge_rows())),
    )  # fmt: skip


_HOME_LEAD = """Three stores with backups of their own, because a backup that holds keys and ciphertext together makes
every erasure a lie: see [back up and restore](../howto/back-up-and-restore.md)."""
_EDGE_LEAD = """Fields of `lofte.edge.config.EdgeConfig`, for those who embed the edge in a program of their own; `lofte
serve` sets `home`, `origins` and `on_report`. Whoever writes that program must protect them all."""


def _home() -> str:
    rows = [(code(name), holds, store, loss) for name, holds, store, loss in HOME]
    return table(("below LOFTE_HOME", "holds", "store", "losing it"), rows)


def _variable(each: Variable) -> str:
    return "\n\n".join(
        (
            f"### {each.name}",
            each.meaning,
            f"- Form: {each.form}\n- Default: {each.default}\n- Who must protect it: {each.protect}\n"
            f"- Who controls it can: {each.attacker[0].lower()}{each.attacker[1:]}",
        )
    )


def _edge_rows() -> Iterator[tuple[str, str, str, str]]:
    for field in fields(EdgeConfig):
        unit, meaning = EDGE[field.name]
        yield code(field.name), unit, _default(field), meaning


def _default(field: Any) -> str:
    value = field.default
    if value is MISSING:
        return "required"
    if field.name == "now":
        return "the system's clock"
    if callable(value):
        return "does nothing"
    if isinstance(value, tuple | frozenset):
        return ", ".join(map(code, value)) or "none"
    return (
        {True: "yes", False: "no", "": "empty"}.get(value, str(value))
        if isinstance(value, bool | str)
        else f"{value:,}"
    )


def named_in_code() -> set[str]:
    """Every environment variable of ours that package, scripts, tests or benchmarks read or set."""
    found: set[str] = set()
    for folder in ("src/lofte", "demo", "bench", "tests"):
        for file in (ROOT / folder).rglob("*.py"):
            found |= set(_strings_of(file.read_text(encoding="utf-8")))
    for file in (ROOT / "scripts").iterdir():
        if file.is_file():
            found |= set(re.findall(r"\bLOFTE_[A-Z_]+", file.read_text(encoding="utf-8")))
    return found


def _strings_of(text: str) -> Iterator[str]:
    """String constants and keyword names that are wholly the name of a variable."""
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.fullmatch(r"LOFTE_[A-Z_]*[A-Z]", node.value)
        ):
            yield node.value


def _demand_all_described() -> None:
    described = {each.name for each in VARIABLES} | set(FOR_TESTS) | SETTINGS_ONLY
    if missing := named_in_code() - described:
        raise LookupError(f"describe these in docs/generate/settings.py: {', '.join(sorted(missing))}")
