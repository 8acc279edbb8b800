"""Is the domain we send from ready, as a mailbox provider sees it? SPF, DKIM, DMARC and alignment, PTR, MX, TLS, one click.

Asks the domain name system through `Names` and mail servers through a door of its own, so that everything can be tried without
a network. What could not be asked is *unknown*, never ready. `told` has the words, ``readiness.said.<code>`` in the catalogue.
"""

import base64
import binascii
import smtplib
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from django.conf import settings

from lofte.core.mailing import signing, spf
from lofte.core.mailing.names import Names, Unanswered
from lofte.rules.catalogue import room_words, say

_BITS = 2048
_RESERVED = (".localhost", ".local", ".test", ".example", ".invalid")  # RFC 2606 and 6762: names nobody on the net has
_TLS_S = 5.0  # seconds a mail server has to greet and to turn to TLS

Greet = Callable[[str], str]
"""Asks a mail server for TLS: `ready`, `plain` (it has none), `certificate` (not valid for its name), `silent`."""


class State(StrEnum):
    READY = "ready"
    WARNING = "warning"
    FAULT = "fault"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was checked. ``facts`` are what its words name; nothing in them is about a person."""

    check: str
    state: State
    code: str
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sender:
    """From where and as whom we send. ``envelope`` is the domain bounces go to; ``addresses`` what receivers see us come from."""

    domain: str
    envelope: str
    addresses: tuple[str, ...] = ()
    dkim: tuple[str, str] | None = None
    key: str = ""  # the record our private key belongs to; empty when there is no key
    relay: str = ""
    relay_is_encrypted: bool = False
    takes_mail: bool = False
    origin: str = ""


def ours(domain: str = "", addresses: tuple[str, ...] = ()) -> Sender:
    """As the settings have it, for another domain or other addresses when they are given."""
    own = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2].lower()
    key = ""
    if settings.LOFTE_DKIM:
        file = signing.key_file(settings.LOFTE_HOME, *settings.LOFTE_DKIM)
        key = signing.record_of(file) if file.exists() else ""
    return Sender(
        domain=domain or own, envelope=settings.LOFTE_MAIL_DOMAIN or domain or own, addresses=addresses, dkim=settings.LOFTE_DKIM,
        key=key, relay=settings.EMAIL_HOST, relay_is_encrypted=settings.EMAIL_USE_TLS,
        takes_mail=bool(settings.LOFTE_MAIL_DOMAIN), origin=settings.LOFTE_ORIGIN,
    )  # fmt: skip


def greet(host: str) -> str:
    """The real `Greet`."""
    try:
        with smtplib.SMTP(host, 25, timeout=_TLS_S) as server:
            server.ehlo()
            if not server.has_extn("starttls"):
                return "plain"
            server.starttls(context=ssl.create_default_context())
            return "ready"
    except ssl.SSLCertVerificationError:
        return "certificate"
    except (OSError, smtplib.SMTPException, ValueError):
        return "silent"


def check(sender: Sender, names: Names, greet: Greet = greet) -> list[Line]:
    """Everything in turn; a check that gets no answer says so and the others go on."""
    addresses = _public(sender, names)
    checks: dict[str, Callable[[], Iterator[Line]]] = {
        "spf": lambda: _spf(sender, names, addresses),
        "dkim": lambda: _dkim(sender, names),
        "dmarc": lambda: _dmarc(sender, names),
        "alignment": lambda: _alignment(sender, names),
        "ptr": lambda: _ptr(names, addresses),
        "mx": lambda: _mx(sender, names),
        "tls": lambda: _tls(sender, names, greet),
        "one_click": lambda: _one_click(sender),
    }
    found: list[Line] = []
    for name, lines in checks.items():
        try:
            found += lines()
        except Unanswered:
            found.append(Line(name, State.UNKNOWN, f"{name}_unanswered"))
    return found


def _public(sender: Sender, names: Names) -> tuple[str, ...]:
    """Where receivers see letters come from: what was given, else the mail server of LOFTE_SMTP where it has a public address."""
    if sender.addresses or not sender.relay:
        return sender.addresses
    try:
        there = names.addresses(sender.relay, 4) + names.addresses(sender.relay, 6)
    except Unanswered:
        return ()
    return tuple(each for each in there if ip_address(each).is_global)


def told(line: Line, locale: str) -> tuple[str, str]:
    """What was seen, and the way out where there is one, in a language."""
    known = room_words(locale, "readiness")
    facts = dict(line.facts)
    if facts.get("why"):
        facts["why"] = say(locale, f"readiness.why.{facts['why'].replace('-', '_')}")
    way_out = say(locale, f"readiness.way.{line.code}", **facts) if f"way.{line.code}" in known else ""
    return say(locale, f"readiness.said.{line.code}", **facts), way_out


def is_public(domain: str) -> bool:
    """Whether others could ask for the domain at all; an installation on this machine sends to nobody but itself."""
    return "." in domain and not domain.endswith(_RESERVED) and not _is_address(domain)


# --- SPF ------------------------------------------------------------------------------------------------------------


def _spf(sender: Sender, names: Names, addresses: tuple[str, ...]) -> Iterator[Line]:
    facts = {"domain": sender.envelope}
    records = spf.records_of(sender.envelope, names)
    if not records:
        yield Line("spf", State.FAULT, "spf_none", facts)
        return
    if any(word in ("all", "+all") for word in records[0].lower().split()):
        yield Line("spf", State.FAULT, "spf_open", facts)
        return
    if not addresses:
        broken = spf.judge("192.0.2.1", sender.envelope, names)
        code = "spf_broken" if broken.result == "permerror" else "spf_no_address"
        yield Line("spf", State.FAULT if code == "spf_broken" else State.UNKNOWN, code, facts | {"why": broken.why})
        return
    for address in addresses:
        judged = spf.judge(address, sender.envelope, names)
        seen = facts | {"address": address, "why": judged.why, "result": judged.result}
        match judged.result:
            case "pass":
                yield Line("spf", State.READY, "spf_passes", seen)
            case "permerror":
                yield Line("spf", State.FAULT, "spf_broken", seen)
            case "temperror":
                yield Line("spf", State.UNKNOWN, "spf_unanswered", seen)
            case _:
                yield Line("spf", State.FAULT, "spf_leaves_out", seen)


# --- DKIM -----------------------------------------------------------------------------------------------------------


def _dkim(sender: Sender, names: Names) -> Iterator[Line]:
    if sender.dkim is None:
        yield Line("dkim", State.UNKNOWN, "dkim_off")
        return
    name = f"{sender.dkim[0]}._domainkey.{sender.dkim[1]}"
    facts = {"record": name}
    if not sender.key:
        yield Line("dkim", State.FAULT, "dkim_no_key", facts)
        return
    found = [tags for text in names.texts(name) if "p" in (tags := _tags(text))]
    if not found:
        yield Line("dkim", State.FAULT, "dkim_none", facts)
        return
    bits = _bits(found[0]["p"])
    if found[0]["p"] != _tags(sender.key)["p"]:
        yield Line("dkim", State.FAULT, "dkim_other_key", facts)
    elif bits < _BITS:
        yield Line("dkim", State.WARNING, "dkim_weak", facts | {"bits": str(bits)})
    elif "y" in found[0].get("t", "").split(":"):
        yield Line("dkim", State.WARNING, "dkim_testing", facts)
    else:
        yield Line("dkim", State.READY, "dkim_ready", facts | {"bits": str(bits)})


def _bits(value: str) -> int:
    try:
        key = load_der_public_key(base64.b64decode(value, validate=True))
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        return 0
    return key.key_size if isinstance(key, RSAPublicKey) else 0


# --- DMARC ----------------------------------------------------------------------------------------------------------


def _dmarc(sender: Sender, names: Names) -> Iterator[Line]:
    at, records = _policy_of(sender.domain, names)
    facts = {"domain": sender.domain, "at": f"_dmarc.{at}"}
    if not records:
        yield Line("dmarc", State.FAULT, "dmarc_none", {"domain": sender.domain, "at": f"_dmarc.{sender.domain}"})
        return
    if len(records) > 1:
        yield Line("dmarc", State.FAULT, "dmarc_two", facts)
        return
    tags = records[0]
    asked = tags.get("sp", tags.get("p", "")) if at != sender.domain else tags.get("p", "")
    if asked not in ("none", "quarantine", "reject"):
        yield Line("dmarc", State.FAULT, "dmarc_broken", facts)
    elif asked == "none":
        yield Line("dmarc", State.READY if "rua" in tags else State.WARNING, "dmarc_watches", facts)
    else:
        yield Line("dmarc", State.READY, "dmarc_ready", facts | {"asked": asked})


def _policy_of(domain: str, names: Names) -> tuple[str, list[dict[str, str]]]:
    """The DMARC records in force for a domain, and where they stand: its own, else those of the domain above it that has some."""
    labels = domain.split(".")
    for start in range(len(labels) - 1):
        at = ".".join(labels[start:])
        found = [tags for text in names.texts(f"_dmarc.{at}") if (tags := _tags(text)).get("v", "").upper() == "DMARC1"]
        if found:
            return at, found
    return domain, []


def _organisation(domain: str, names: Names) -> str:
    """The domain that answers for this one: the shortest above it that has a DMARC record of its own and is no public suffix."""
    labels = domain.split(".")
    for start in range(len(labels) - 2, -1, -1):
        at = ".".join(labels[start:])
        found = [tags for text in names.texts(f"_dmarc.{at}") if (tags := _tags(text)).get("v", "").upper() == "DMARC1"]
        if found and found[0].get("psd", "") != "y":
            return at
    return domain


def _alignment(sender: Sender, names: Names) -> Iterator[Line]:
    """Whether the domain people see is the one SPF or DKIM vouches for. One is enough; both survive forwarding better."""
    _, records = _policy_of(sender.domain, names)
    tags = records[0] if records else {}
    own = _organisation(sender.domain, names)

    def fits(other: str, mode: str) -> bool:
        return (
            other == sender.domain
            if mode == "s"
            else _organisation(other, names) == own or _is_below(other, sender.domain)
        )

    has_spf, has_dkim = bool(spf.records_of(sender.envelope, names)), sender.dkim is not None
    by_spf = has_spf and fits(sender.envelope, tags.get("aspf", "r"))
    by_dkim = sender.dkim is not None and fits(sender.dkim[1], tags.get("adkim", "r"))
    facts = {"domain": sender.domain, "envelope": sender.envelope, "signed": sender.dkim[1] if sender.dkim else ""}
    if by_spf and by_dkim:
        yield Line("alignment", State.READY, "alignment_both", facts)
    elif by_dkim:
        yield Line("alignment", State.READY, "alignment_dkim", facts)
    elif by_spf:
        yield Line("alignment", State.WARNING, "alignment_spf", facts)
    else:
        code = "alignment_none" if has_spf or has_dkim else "alignment_missing"
        yield Line("alignment", State.FAULT, code, facts)


def _is_below(one: str, other: str) -> bool:
    """Whether one domain is the other or lies below it, either way."""
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def _tags(text: str) -> dict[str, str]:
    """`v=DMARC1; p=none` as a mapping; white space counts for nothing."""
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): "".join(value.split()) for name, mark, value in pairs if mark}


# --- the ways letters go and come -----------------------------------------------------------------------------------


def _ptr(names: Names, addresses: tuple[str, ...]) -> Iterator[Line]:
    if not addresses:
        yield Line("ptr", State.UNKNOWN, "ptr_no_address")
    for address in addresses:
        found = names.names_of(address)
        facts = {"address": address, "name": ", ".join(found)}
        back = [name for name in found if address in names.addresses(name, ip_address(address).version)]
        if back:
            yield Line("ptr", State.READY, "ptr_ready", facts | {"name": back[0]})
        else:
            yield Line("ptr", State.FAULT, "ptr_elsewhere" if found else "ptr_none", facts)


def _mx(sender: Sender, names: Names) -> Iterator[Line]:
    """That answers to From find a server, and that bounces and answers come back to us."""
    for domain in dict.fromkeys((sender.domain, sender.envelope)):
        servers = [host for _, host in names.mail_servers(domain)]
        facts = {"domain": domain, "servers": ", ".join(each for each in servers if each)}
        if servers == [""]:
            yield Line("mx", State.FAULT, "mx_refuses", facts)
        elif servers:
            yield Line("mx", State.READY, "mx_ready", facts)
        elif names.addresses(domain, 4) + names.addresses(domain, 6):
            yield Line("mx", State.WARNING, "mx_implied", facts)
        else:
            yield Line("mx", State.FAULT, "mx_none", facts)
    if not sender.takes_mail:
        yield Line("mx", State.WARNING, "mx_deaf", {"domain": sender.domain})


def _tls(sender: Sender, names: Names, greet: Greet) -> Iterator[Line]:
    if not sender.relay:
        yield Line("tls", State.FAULT, "tls_no_server")
    elif _is_here(sender.relay):
        yield Line("tls", State.READY, "tls_here", {"server": sender.relay})
    elif sender.relay_is_encrypted:
        yield Line("tls", State.READY, "tls_out_ready", {"server": sender.relay})
    else:
        yield Line("tls", State.FAULT, "tls_out_plain", {"server": sender.relay})
    for server in [host for _, host in names.mail_servers(sender.envelope) if host][:3]:
        said = greet(server)
        state = {"ready": State.READY, "silent": State.UNKNOWN, "certificate": State.WARNING}.get(said, State.FAULT)
        yield Line("tls", state, f"tls_in_{said}", {"server": server})


def _is_here(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _one_click(sender: Sender) -> Iterator[Line]:
    """Providers take one-click unsubscription (RFC 8058) over https only."""
    is_safe = urlsplit(sender.origin).scheme == "https"
    state, code = (State.READY, "one_click_ready") if is_safe else (State.FAULT, "one_click_plain")
    yield Line("one_click", state, code, {"origin": sender.origin})
