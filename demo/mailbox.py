"""The mailbox of the demonstration: an SMTP sink on loopback and the pages and JSON to read what arrived.

Nothing is sent on and nothing is kept beyond memory. The JSON is the part of Mailpit's API that a canary needs, so the same
canary works against a real Mailpit.
"""

import json
import re
import secrets
import socket
import threading
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses
from html import escape
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from demo.wire import Receive, Scope, Send, answer, body, lifespan, query, redirect

BASE = "/mailbox"
_ADDRESS = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")


@dataclass(frozen=True, slots=True)
class Mail:
    id: str
    at: datetime
    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message.get("subject", ""))

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    def people(self, field: str) -> list[dict[str, str]]:
        found = getaddresses([str(value) for value in self.message.get_all(field, [])])
        return [{"Name": name, "Address": address} for name, address in found if address]

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return part.get_content() if part is not None else ""


class Mailbox:
    """``start()`` opens the SMTP sink on ``port``; the object itself is the ASGI app under `/mailbox/`."""

    def __init__(self, limit: int = 1000) -> None:
        self._mails: deque[Mail] = deque(maxlen=limit)
        self._lock = threading.Lock()  # mails arrive on the SMTP thread and are read on the server's
        self._controller: Controller | None = None
        self.port = 0

    def start(self, port: int = 0) -> tuple[str, int]:
        """Listens on loopback, on a free port unless one is named; gives host and port."""
        self.port = port or _free_port()
        self._controller = Controller(_Sink(self), hostname="127.0.0.1", port=self.port)
        self._controller.start()
        return "127.0.0.1", self.port

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def keep(self, sender: str, recipients: list[str], raw: bytes) -> Mail:
        message = message_from_bytes(raw, policy=policy.default)
        mail = Mail(secrets.token_urlsafe(12), datetime.now(UTC), sender, tuple(recipients), raw, message)
        with self._lock:
            self._mails.appendleft(mail)
        return mail

    def mails(self) -> list[Mail]:
        """Newest first."""
        with self._lock:
            return list(self._mails)

    def find(self, mail_id: str) -> Mail | None:
        mails = self.mails()
        if mail_id == "latest":
            return mails[0] if mails else None
        return next((mail for mail in mails if mail.id == mail_id), None)

    def forget(self, ids: list[str] | None = None) -> None:
        """Removes the mails named, or all of them."""
        with self._lock:
            kept = [mail for mail in self._mails if ids and mail.id not in ids]
            self._mails.clear()
            self._mails.extend(kept)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        parts = [part for part in scope["path"].removeprefix(BASE).split("/") if part]
        if scope["path"] == BASE:
            await redirect(send, f"{BASE}/", status=308)
        elif parts[:2] == ["api", "v1"]:
            await self._api(parts[2:], scope, receive, send)
        elif not parts:
            await _page(send, "Mailbox", _list(self.mails(), query(scope).get("to", "")), refresh=True)
        else:
            await self._read(parts, send)

    async def _read(self, parts: list[str], send: Send) -> None:
        mail = self.find(parts[0])
        if mail is None:
            await _page(send, "Mailbox", '<p class="none">This mail is no longer here.</p>', status=404)
        elif parts[1:] == ["html"]:
            # A mail is somebody else's page: no script, no form, no request; its links open outside the frame.
            rules = (
                "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
                "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
            )
            await answer(
                send,
                f'<base target="_top">{mail.html}',
                headers=[("content-security-policy", rules), ("cache-control", "no-store")],
            )
        elif parts[1:] == ["raw"]:
            await answer(send, mail.raw, "text/plain; charset=utf-8", headers=[("cache-control", "no-store")])
        else:
            await _page(send, mail.subject or "Mail", _one(mail))

    async def _api(self, parts: list[str], scope: Scope, receive: Receive, send: Send) -> None:
        asked = query(scope)
        match parts:
            case ["messages"] if scope["method"] == "DELETE":
                asked_for = json.loads(await body(receive) or b"{}")
                self.forget(asked_for.get("IDs"))
                await answer(send, b"ok", "text/plain")
            case ["messages"]:
                await _json(send, _summary(self.mails(), self.mails(), asked))
            case ["search"]:
                found = [mail for mail in self.mails() if _matches(mail, asked.get("query", ""))]
                await _json(send, _summary(self.mails(), found, asked))
            case ["message", mail_id] if mail := self.find(mail_id):
                await _json(send, _whole(mail))
            case ["message", mail_id, "headers"] if mail := self.find(mail_id):
                await _json(send, {name: [str(v) for v in mail.message.get_all(name, [])] for name in mail.message})
            case ["message", mail_id, "raw"] if mail := self.find(mail_id):
                await answer(send, mail.raw, "text/plain; charset=utf-8")
            case ["info"]:
                await _json(send, {"Version": "demonstration", "Messages": len(self.mails())})
            case _:
                await answer(send, b'{"Error":"not found"}', "application/json", 404)


class _Sink:
    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        self._mailbox.keep(envelope.mail_from or "", list(envelope.rcpt_tos), envelope.original_content or b"")
        return "250 kept"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# ----- Mailpit's JSON -----


def _matches(mail: Mail, wanted: str) -> bool:
    """`to:`, `from:`, `subject:` and bare words, quoted or not; all must fit."""
    terms = re.findall(r'(?:(to|from|subject):)?(?:"([^"]*)"|(\S+))', wanted)
    return all(_fits(mail, field, (quoted or word).lower()) for field, quoted, word in terms)


def _fits(mail: Mail, field: str, wanted: str) -> bool:
    places = {
        "to": " ".join([*mail.recipients, *(person["Address"] for person in mail.people("to"))]),
        "from": f"{mail.sender} {mail.message.get('from', '')}",
        "subject": mail.subject,
    }
    where = places[field] if field else " ".join([*places.values(), mail.text])
    return wanted in where.lower()


def _summary(everything: list[Mail], found: list[Mail], asked: dict[str, str]) -> dict[str, Any]:
    start, limit = _number(asked.get("start"), 0), _number(asked.get("limit"), 50)
    shown = found[start : start + limit]
    return {
        "total": len(everything),
        "unread": len(everything),
        "count": len(shown),
        "messages_count": len(found),
        "start": start,
        "tags": [],
        "messages": [_head(mail) | {"Snippet": " ".join(mail.text.split())[:250]} for mail in shown],
    }


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdigit() else otherwise


def _head(mail: Mail) -> dict[str, Any]:
    return {
        "ID": mail.id,
        "MessageID": str(mail.message.get("message-id", "")).strip("<>"),
        "Read": False,
        "From": next(iter(mail.people("from")), {"Name": "", "Address": mail.sender}),
        "To": mail.people("to"),
        "Cc": mail.people("cc"),
        "Bcc": mail.people("bcc"),
        "ReplyTo": mail.people("reply-to"),
        "Subject": mail.subject,
        "Created": mail.at.isoformat(),
        "Size": len(mail.raw),
        "Attachments": len(list(mail.message.iter_attachments())),
        "Tags": [],
    }


def _whole(mail: Mail) -> dict[str, Any]:
    unsubscribe = re.findall(r"<([^>]+)>", str(mail.message.get("list-unsubscribe", "")))
    return _head(mail) | {
        "Date": mail.at.isoformat(),
        "ReturnPath": mail.sender,
        "Text": mail.text,
        "HTML": mail.html,
        "Inline": [],
        "Attachments": [
            {"FileName": part.get_filename() or "", "ContentType": part.get_content_type()}
            for part in mail.message.iter_attachments()
        ],
        "ListUnsubscribe": {
            "Header": str(mail.message.get("list-unsubscribe", "")),
            "Links": unsubscribe,
            "Errors": "",
            "HeaderPost": str(mail.message.get("list-unsubscribe-post", "")),
        },
    }


async def _json(send: Send, value: object) -> None:
    await answer(
        send, json.dumps(value, ensure_ascii=False), "application/json", headers=[("cache-control", "no-store")]
    )


# ----- pages for people -----


def _list(mails: list[Mail], to: str) -> str:
    shown = [mail for mail in mails if not to or _fits(mail, "to", to.lower())]
    if not shown:
        return (
            "<h1>Mailbox</h1>"
            '<p class="none">Nothing yet. Every mail the demonstration sends ends up here, and nowhere else.</p>'
        )
    rows = "".join(
        f'<li><a href="{BASE}/{mail.id}/"><span class="who">{escape(", ".join(mail.recipients))}</span>'
        f"<b>{escape(mail.subject)}</b><time>{mail.at:%H:%M:%S}</time>"
        f"<span class=snip>{escape(' '.join(mail.text.split())[:140])}</span></a></li>"
        for mail in shown
    )
    return f"<h1>Mailbox</h1><ul class=mails>{rows}</ul>"


def _one(mail: Mail) -> str:
    facts = "".join(
        f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>"
        for name, value in (
            ("From", str(mail.message.get("from", mail.sender))),
            ("To", ", ".join(mail.recipients)),
            ("Sent", f"{mail.at:%Y-%m-%d %H:%M:%S} UTC"),
            ("Unsubscribe", str(mail.message.get("list-unsubscribe", ""))),
        )
        if value
    )
    rules = "allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
    html = f'<iframe title="HTML" sandbox="{rules}" src="{BASE}/{mail.id}/html"></iframe>'
    plain = f"<h2>Plain text</h2><pre>{_linked(mail.text)}</pre>" if mail.text else ""
    return (
        f'<p><a href="{BASE}/">← Mailbox</a></p><h1>{escape(mail.subject)}</h1><dl>{facts}</dl>'
        f'{html if mail.html else ""}{plain}<p><a href="{BASE}/{mail.id}/raw">Source</a></p>'
    )


def _linked(text: str) -> str:
    pieces, at = [], 0
    for found in _ADDRESS.finditer(text):
        address = escape(found.group())
        pieces += [escape(text[at : found.start()]), f'<a href="{address}">{address}</a>']
        at = found.end()
    return "".join([*pieces, escape(text[at:])])


_STYLE = """
:root{color-scheme:light dark;--ink:#1d2321;--soft:#56605c;--paper:#faf8f3;--raised:#fff;--line:#e2ddd1;--deep:#1f3d36;--ring:#1f6fd0}
@media(prefers-color-scheme:dark){:root{--ink:#edf1ef;--soft:#a6b1ac;--paper:#121715;--raised:#1a211e;--line:#2f3a35;--deep:#a9d5c5;--ring:#8ec2ff}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,sans-serif}
main{max-width:52rem;margin:0 auto;padding:2.5rem 1.25rem 5rem}
h1{font:500 clamp(1.6rem,4vw,2.2rem)/1.2 "Iowan Old Style",Palatino,Georgia,"DejaVu Serif",serif;margin:.5rem 0 1.5rem;overflow-wrap:anywhere}
h2{font-size:1rem;margin:2rem 0 .5rem;color:var(--soft)}a{color:var(--deep);text-underline-offset:.2em}
:focus-visible{outline:3px solid var(--ring);outline-offset:2px;border-radius:6px}
.mails{list-style:none;margin:0;padding:0;background:var(--raised);border:1px solid var(--line);border-radius:16px;overflow:hidden}
.mails li+li{border-top:1px solid var(--line)}.mails a{display:grid;grid-template-columns:1fr auto;gap:0 1rem;padding:1rem 1.25rem;color:inherit;text-decoration:none}
.mails a:hover{background:color-mix(in srgb,var(--deep) 6%,transparent)}.who,.snip,time{color:var(--soft);font-size:.92rem}
.mails b{grid-column:1;grid-row:2;font-weight:600}.mails time{grid-column:2;grid-row:1}
.snip{grid-column:1/-1;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
dl{margin:0 0 1.5rem}dl div{display:grid;grid-template-columns:8rem 1fr;padding:.35rem 0;border-top:1px solid var(--line)}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
iframe{width:100%;height:32rem;border:1px solid var(--line);border-radius:14px;background:#fff;color-scheme:light}
pre{white-space:pre-wrap;overflow-wrap:anywhere;padding:1.25rem;background:var(--raised);border:1px solid var(--line);border-radius:14px;font:.95rem/1.55 ui-monospace,monospace}
.none{color:var(--soft);font-size:1.1rem}
"""  # noqa: E501  # a style sheet


async def _page(send: Send, title: str, inside: str, status: int = 200, *, refresh: bool = False) -> None:
    again = '<meta http-equiv="refresh" content="5">' if refresh else ""
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>{again}'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><main>{inside}</main></body></html>"
    )
    rules = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'none'"
    await answer(
        send,
        page,
        status=status,
        headers=[("content-security-policy", rules), ("cache-control", "no-store"), ("referrer-policy", "no-referrer")],
    )
