"""Which servers a domain lets send for it (SPF, RFC 7208), judged for one address as a receiver would.

The limits are a receiver's too: ten questions, two of them without an answer. A record beyond them fails for everybody.
"""

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from lofte.core.mailing.names import Names, Unanswered

_MOST_QUESTIONS, _MOST_EMPTY, _MOST_SERVERS = 10, 2, 10
_TERM = re.compile(
    r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?::([^/\s]+|[^\s]*:[^\s]*))?((?:/\d{1,3})?(?://\d{1,3})?)",
    re.IGNORECASE,
)
_MODIFIER = re.compile(r"([a-z][a-z0-9_.-]*)=(.*)", re.IGNORECASE)
_MACRO = re.compile(r"%(?:\{([slodiphcrtv])(\d*)(r?)([.+,/_=-]*)\}|([%_-]))", re.IGNORECASE)
_SAYS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral", "": "pass"}


@dataclass(frozen=True, slots=True)
class Judged:
    """``result`` is none, neutral, pass, fail, softfail, temperror or permerror; ``why`` a word for what is wrong in the record."""

    result: str
    record: str = ""
    questions: int = 0
    why: str = ""


class _Broken(Exception):  # noqa: N818  # ends the judging, with its reason
    pass


@dataclass
class _Run:
    names: Names
    address: IPv4Address | IPv6Address
    sender: str
    questions: int = 0
    empty: int = 0
    record: str = field(default="")

    def count(self) -> None:
        self.questions += 1
        if self.questions > _MOST_QUESTIONS:
            raise _Broken("too-many-questions")

    def heard(self, found: tuple[object, ...]) -> None:
        self.empty += not found
        if self.empty > _MOST_EMPTY:
            raise _Broken("too-many-empty")


def judge(address: str, domain: str, names: Names, sender: str = "") -> Judged:
    """What a receiver makes of a letter from this address in the name of a domain."""
    run = _Run(names, ip_address(address), sender or f"postmaster@{domain}")
    try:
        return Judged(_judge(run, domain), run.record, run.questions)
    except _Broken as broken:
        return Judged("permerror", run.record, run.questions, str(broken))
    except Unanswered:
        return Judged("temperror", run.record, run.questions)


def records_of(domain: str, names: Names) -> list[str]:
    """The SPF records of a domain. More than one is as bad as a wrong one."""
    return [each for each in names.texts(domain) if re.match(r"v=spf1(?: |$)", each, re.IGNORECASE)]


def _judge(run: _Run, domain: str) -> str:
    found = records_of(domain, run.names)
    if not found:
        return "none"
    if len(found) > 1:
        raise _Broken("two-records")
    run.record = run.record or found[0]
    redirect, terms = "", []
    for word in found[0].split()[1:]:
        if (modifier := _MODIFIER.fullmatch(word)) and not _TERM.fullmatch(word):
            redirect = modifier[2] if modifier[1].lower() == "redirect" else redirect
        elif term := _TERM.fullmatch(word):
            terms.append(term)
        else:
            raise _Broken("not-understood")
    for term in terms:
        if _matches(run, domain, term):
            return _SAYS[term[1]]
    if redirect:
        run.count()
        further = _judge(run, _expanded(run, domain, redirect))
        if further == "none":
            raise _Broken("empty-redirect")
        return further
    return "neutral"


def _matches(run: _Run, domain: str, term: "re.Match[str]") -> bool:
    kind, given, lengths = term[2].lower(), term[3] or "", term[4]
    if kind == "all":
        return True
    if kind in ("ip4", "ip6"):
        return _is_in(run, f"{given}{lengths}", 4 if kind == "ip4" else 6)
    run.count()
    target = _expanded(run, domain, given) if given else domain
    match kind:
        case "include":
            said = _judge(run, target)
            if said == "none":
                raise _Broken("empty-include")
            return said == "pass"
        case "a":
            return _is_one(run, _addresses(run, target), lengths)
        case "mx":
            servers = run.names.mail_servers(target)
            run.heard(servers)
            if len(servers) > _MOST_SERVERS:
                raise _Broken("too-many-servers")
            return any(_is_one(run, run.names.addresses(host, run.address.version), lengths) for _, host in servers)
        case "exists":
            found = run.names.addresses(target, 4)
            run.heard(found)
            return bool(found)
    names = run.names.names_of(str(run.address))[:_MOST_SERVERS]  # ptr, which nobody should use
    mine = str(run.address)
    return any(
        (name == target or name.endswith(f".{target}")) and mine in run.names.addresses(name, run.address.version)
        for name in names
    )


def _addresses(run: _Run, target: str) -> tuple[str, ...]:
    found = run.names.addresses(target, run.address.version)
    run.heard(found)
    return found


def _is_one(run: _Run, found: tuple[str, ...], lengths: str) -> bool:
    four, _, six = lengths.partition("//")
    length = four.removeprefix("/") if run.address.version == 4 else six
    try:
        return any(run.address in ip_network(f"{each}/{length}" if length else each, strict=False) for each in found)
    except ValueError:
        raise _Broken("not-understood") from None


def _is_in(run: _Run, given: str, version: int) -> bool:
    try:
        network = ip_network(given, strict=False)
    except ValueError:
        raise _Broken("not-understood") from None
    if network.version != version:
        raise _Broken("not-understood")
    return run.address.version == version and run.address in network


def _expanded(run: _Run, domain: str, given: str) -> str:
    """A name with its macros written out (RFC 7208, section 7)."""
    values = {
        "s": run.sender, "l": run.sender.partition("@")[0], "o": run.sender.partition("@")[2], "d": domain, "h": domain,
        "i": str(run.address) if run.address.version == 4 else ".".join(run.address.exploded.replace(":", "")),
        "v": "in-addr" if run.address.version == 4 else "ip6", "p": "unknown",
    }  # fmt: skip

    def one(found: "re.Match[str]") -> str:
        if found[5]:
            return {"%": "%", "_": " ", "-": "%20"}[found[5]]
        letter = found[1].lower()
        if letter not in values or found[2] == "0":
            raise _Broken("not-understood")
        parts = re.split(f"[{re.escape(found[4] or '.')}]", values[letter])
        parts = parts[::-1] if found[3] else parts
        return ".".join(parts[-int(found[2]) :] if found[2] else parts)

    name = _MACRO.sub(one, given)
    if "%" in _MACRO.sub("", given):
        raise _Broken("not-understood")
    return name.rstrip(".").lower()
