"""What tests of the Django side share: a house of their own, a real evidence log, a published policy, a mail server to listen at.

Nothing here is a fake of ours: the log writes to disk, the policy is frozen into a home, letters go over SMTP.
"""

import email
import email.policy
import json
import os
import re
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.contrib.contenttypes.management import create_contenttypes
from django.db.models.signals import post_migrate

from lofte.core import clock, evidence, limits, outbox, publication
from lofte.evidence.log import Log, open_log
from lofte.kernel.canonical import sha256_hex
from lofte.rules.model import Policy
from lofte.rules.published import Published

LOCALES = {"SE": "sv", "NO": "nb", "FI": "fi", "GB": "en-GB", "US": "en-US"}
_BALANCING = {"interest": True, "necessity": True, "balance": True, "reviewed": "2026-01-31", "reviewed_by": "lead"}


def small_policy() -> dict[str, Any]:
    """A whole policy in few lines: five markets, the purposes and clocks people meet, one form."""
    return {
        "format": "1", "id": "small", "version": "2026-01", "last_updated": "2026-01",
        "organisation": {"name": "Small Company", "offices": [{"city": "Oslo", "country": "NO"}]},
        "controllers": {
            "us": {
                "name": "Small AB", "country": "SE", "email": "dpo@small.example", "phone": "+46 8 1",
                "post": ["Street 1", "Solna"],
            }
        },
        "markets": {
            key: {
                "controller": "us", "country": key, "law": "US-CO" if key == "US" else key, "locales": [locale],
                "domains": ["localhost"], "path": "/" + {"GB": "uk"}.get(key, key.lower()),
            }
            for key, locale in LOCALES.items()
        },
        "fields": {
            "email": {"kind": "email", "category": "contact", "indexed": True},
            "phone": {"kind": "phone", "category": "contact", "indexed": True},
            "name": {"kind": "name", "category": "identity"},
            "company": {"kind": "text", "category": "work"},
            "dialogue": {"kind": "text", "category": "dialogue"},
            "topics": {"kind": "choice", "category": "preference"},
        },
        "purposes": {
            "newsletter": {
                "basis": "consent", "scope": "person", "fields": ["email", "name", "company", "topics"], "clock": "inactivity",
            },
            "answers": {
                "basis": "legitimate_interest", "scope": "person", "fields": ["email", "name", "phone", "dialogue"],
                "clock": "inactivity", "balancing": _BALANCING,
            },
            "customer": {
                "basis": "contract", "scope": "person", "fields": ["email", "name", "phone", "company", "dialogue"],
                "clock": "end-of-relation",
            },
            "accounting": {"basis": "legal_obligation", "scope": "person", "fields": ["name", "company"], "clock": "statute"},
            "statistics": {"basis": "consent", "scope": "browser", "storage": "opt_in"},
        },
        "relations": {
            "prospect": {"purposes": ["newsletter", "answers"], "clock": "inactivity"},
            "customer": {"purposes": ["customer", "accounting"], "clock": "end-of-relation"},
        },
        "clocks": {
            "inactivity": {"kind": "inactivity", "period": "P24M", "signals": ["mail_click", "portal_visit", "sign_up"]},
            "end-of-relation": {"kind": "end_of_relation", "period": "P1Y"},
            "statute": {"kind": "fixed_age", "period": "P7Y"},
        },
        "recipients": {"host": {"name": "Host", "role": "processor", "country": "SE"}},
        "systems": {}, "tags": {}, "cookies": {},
        "forms": {
            "newsletter": {
                "purpose": "newsletter",
                "fields": [{"field": "email"}, {"field": "name", "required": False}, {"field": "company", "required": False}],
            }
        },
        "topics": {each: {"purpose": "newsletter"} for each in ("product", "insight", "events")},
        "promises": {"P14": {}},
    }  # fmt: skip


def _boxes(policy: dict[str, Any]) -> list[str]:
    """The names of the consent words of all forms."""
    found = []
    for form, each in policy["forms"].items():
        consents = policy["purposes"][each["purpose"]]["basis"] == "consent"
        found += [f"box.{form}.{each['purpose']}-email"] if consents else []
        found += [f"box.{form}.{box['purpose']}-{box.get('channel', 'email')}" for box in each.get("boxes", ())]
    return found


def _words(policy: dict[str, Any], locale: str) -> dict[str, Any]:
    """What forms need to speak: plain words with the locale behind them, so that languages can be told apart."""
    forms = {
        form: {part: f"{form} {part} {locale}" for part in ("name", "lead", "submit", "consent")}
        | {
            "boxes": {
                f"{box['purpose']}-{box.get('channel', 'email')}": f"box {locale}" for box in each.get("boxes", ())
            }
        }
        for form, each in policy["forms"].items()
    }
    purposes = {key: {"name": f"{key} {locale}", "why": f"why {key} {locale}"} for key in policy["purposes"]}
    topics = {key: {"name": f"{key} {locale}", "lead": f"about {key} {locale}"} for key in policy.get("topics", ())}
    fields = {field: f"{field} {locale}" for field in policy["fields"]}
    return {"forms": forms, "fields": fields, "purposes": purposes, "topics": topics}


def publish(home: Path, policy: dict[str, Any], version: str | None = None) -> Published:
    """Freeze a policy into a home, as the serving side reads it."""
    if version:
        policy = {**policy, "version": version}
    digest = sha256_hex(json.dumps(policy, sort_keys=True).encode())
    shown = ["banner", "policy", *(f"form.{form}" for form in policy["forms"]), *_boxes(policy)]
    found = Published(
        version=policy["version"], digest=digest, published_at="2026-01-01T00:00:00Z", policy=Policy.model_validate(policy),
        words={locale: _words(policy, locale) for locale in LOCALES.values()},
        wordings={f"{m}/{loc}/{s}": sha256_hex(f"{digest}{m}{s}".encode()) for m, loc in LOCALES.items() for s in shown},
    )  # fmt: skip
    content = found.model_dump_json(by_alias=True).encode()
    folder = home / "published"
    for name in ("objects", "publications"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "objects" / sha256_hex(content)).write_bytes(content)
    manifest = {
        "digest": digest,
        "version": found.version,
        "published_at": found.published_at,
        "files": {"policy.json": sha256_hex(content)},
    }
    (folder / "publications" / f"{digest}.json").write_text(json.dumps(manifest))
    (folder / "current").write_text(digest)
    publication.forget()
    return found


@pytest.fixture(scope="session", autouse=True)
def _no_lists_nobody_reads() -> None:
    """Django lists every model and what may be done with it after each flush, which takes longer than the flush. Roles here are
    their own; nobody reads those lists.
    """
    assert post_migrate.disconnect(create_contenttypes)
    assert post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")


@pytest.fixture
def home(tmp_path: Path, settings: Any) -> Path:
    """A data directory for one test; the databases stay where pytest-django made them."""
    folder = tmp_path / "home"
    (folder / "keys").mkdir(parents=True, mode=0o700)
    settings.LOFTE_HOME = folder
    settings.LOFTE_ORIGIN = "http://localhost:8000"
    return folder


@pytest.fixture
def published(home: Path) -> Iterator[Published]:
    yield publish(home, small_policy())
    publication.forget()


@pytest.fixture
def republish(home: Path) -> Callable[..., Published]:
    """Publish another policy in the same home: ``republish(change)`` where change edits the small policy's dictionary."""

    def again(change: Callable[[dict[str, Any]], object], version: str = "2026-02") -> Published:
        policy = small_policy()
        change(policy)
        return publish(home, policy, version)

    return again


@pytest.fixture
def log(home: Path) -> Iterator[Log]:
    """The real log, on disk, held by this process."""
    opened = open_log(home / "evidence.sqlite3", home / "keys", "localhost/lofte/log", clock.now)
    evidence.set_log(opened)
    yield opened
    evidence.set_log(None)
    outbox.unsubscribe_all()
    opened.close()


@dataclass
class Letterbox:
    """What arrived over SMTP. ``refuse`` answers RCPT with that code instead of taking the letter."""

    port: int
    letters: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    refuse: int = 0

    def last(self) -> EmailMessage:
        return self.letters[-1]

    def link(self, part: str, letter: EmailMessage | None = None) -> str:
        """The code of the last link of a kind (``confirm``, ``open``, ``unsubscribe``, ``address``) in a letter's text."""
        body = (letter or self.last()).get_body(("plain",))
        assert body is not None
        found = re.findall(rf"/{part}/([A-Za-z0-9_-]{{32,}})/", body.get_content())
        return found[-1]


class _Smtp(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as a client needs."""

    def handle(self) -> None:
        box: Letterbox = self.server.box  # type: ignore[attr-defined]
        self._say("220 test")
        for raw in self.rfile:
            line = raw.decode().strip()
            verb = line[:4].upper()
            if verb == "DATA":
                self._say("354 go on")
                box.letters.append(self._take())
                self._say("250 kept")
            elif verb == "RCPT" and box.refuse:
                self._say(f"{box.refuse} no")
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                if verb == "RCPT":
                    box.recipients.append(line)
                self._say("250 ok")

    def _take(self) -> EmailMessage:
        lines = []
        for raw in self.rfile:
            if raw == b".\r\n":
                break
            lines.append(raw[1:] if raw.startswith(b"..") else raw)
        return email.message_from_bytes(b"".join(lines), policy=email.policy.default)  # type: ignore[return-value]

    def _say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")


@pytest.fixture
def letterbox(settings: Any) -> Iterator[Letterbox]:
    """A mail server on a free port; settings point at it."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Smtp) as server:
        server.daemon_threads = True
        box = Letterbox(server.server_address[1])
        server.box = box  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", box.port
        settings.EMAIL_HOST_USER, settings.EMAIL_USE_TLS = "", False
        yield box
        server.shutdown()
        thread.join()


@pytest.fixture
def no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "allow", lambda *_: True)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where the browser is, or the test is skipped and says so."""
    found = os.environ.get("LOFTE_CHROMIUM") or "/usr/bin/chromium"
    if not Path(found).exists():
        pytest.skip("no Chromium here")
    return found


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sabotage tests run one whole product and leave its settings behind: last where all share a process (scripts/test gives
    them their own).
    """
    items.sort(key=lambda item: "tests/sabotage/" in item.nodeid)
