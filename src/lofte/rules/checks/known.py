"""What the catalogue knows of a policy's tags, systems and recipients, and the policy does not say.

Warnings: a vendor changes its tag when it likes, and a site may have switched part of it off.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from lofte.kernel.problems import Problem
from lofte.rules.checks.case import Case
from lofte.rules.clocks import add_period
from lofte.rules.codes import fault
from lofte.rules.known import Known, KnownCookie, Provider, catalogue, is_covered, known_as, known_system, providers
from lofte.rules.model import Cookie, Tag

_START = datetime(2026, 1, 1, tzinfo=UTC)  # a yardstick for lifetimes, no moment of anything


def problems(case: Case) -> Iterator[Problem]:
    for key, tag in case.policy.tags.items():
        for name in known_as(tag):
            yield from _tag(case, key, tag, catalogue()[name])
    for key, system in case.policy.systems.items():
        if (known := known_system(system)) is not None:
            yield from _cookies(case, ("systems", key), catalogue()[known])
    yield from _recipients(case)


def _tag(case: Case, key: str, tag: Tag, entry: Known) -> Iterator[Problem]:
    yield from _cookies(case, ("tags", key), entry)
    for host in entry.hosts:
        if not is_covered(case.policy, host):
            detail = f"{entry.name} loads from {host}, which no tag declares"
            yield fault("known.forgotten-host", detail, case.place("tags", key, "hosts"), expected=f"`{host}`")
    for field in entry.data:
        if field in case.policy.fields and field not in tag.data:
            detail = f"{entry.name} sends `{field}`, which `{key}` does not name"
            yield fault("known.forgotten-data", detail, case.place("tags", key, "data"), expected=f"`{field}`")
    recipient = case.policy.recipients.get(tag.recipient)
    if entry.optout and recipient is not None and not recipient.optout_url:
        detail, place = f"{entry.name} has an opt-out of its own", case.place("recipients", tag.recipient, "optout_url")
        yield fault("known.no-opt-out", detail, place, expected=entry.optout)


def _cookies(case: Case, path: tuple[str, str], entry: Known) -> Iterator[Problem]:
    for known in entry.cookies.values():
        found = _declared(case, known)
        if found is None:
            if known.when != "comments":  # only where comments are open, which no policy says
                detail = f"{entry.name} keeps {known.name} ({known.storage}), which is not declared"
                yield fault(
                    "known.forgotten-cookie", detail, case.place(*path), expected=f"a cookie named {known.name}"
                )
            continue
        key, cookie = found
        if _kept(cookie.lifetime) < _kept(known.lifetime):
            detail = f"`{key}` is kept {known.lifetime}, the policy says {cookie.lifetime}"
            place = case.place("cookies", key, "lifetime")
            yield fault("known.shorter-lifetime", detail, place, expected=f"`{known.lifetime}`")


def _declared(case: Case, known: KnownCookie) -> tuple[str, Cookie] | None:
    """The cookie of the policy that is this one, by name and kind of storage, whatever it is called there."""
    named = [
        (key, cookie)
        for key, cookie in case.policy.cookies.items()
        if (cookie.name, cookie.storage) == (known.name, known.storage)
    ]
    same_host = [(key, cookie) for key, cookie in named if cookie.host == known.host]
    return next(iter([*same_host, *named]), None)


def _recipients(case: Case) -> Iterator[Problem]:
    makers: dict[str, list[str]] = {}
    for tag in case.policy.tags.values():
        for name in known_as(tag):
            if (maker := catalogue()[name].provider) is not None:
                makers.setdefault(tag.recipient, []).append(maker)
    for key, names in makers.items():
        for name in dict.fromkeys(names):
            yield from _recipient(case, key, providers()[name])


def _recipient(case: Case, key: str, maker: Provider) -> Iterator[Problem]:
    recipient = case.policy.recipients.get(key)
    if recipient is None:
        return
    if not recipient.privacy_url and not recipient.optout_url:
        detail = f"{maker.name} has a privacy notice and an opt-out"
        yield fault("known.no-link", detail, case.place("recipients", key), expected=maker.privacy_url)
    named = {recipient.country, *(transfer.country for transfer in recipient.transfers)}
    for country in maker.takes_to:
        if country not in named:
            detail, place = f"{maker.name} takes data to {country}", case.place("recipients", key, "transfers")
            yield fault("known.forgotten-transfer", detail, place, expected=f"a transfer to {country}")


def _kept(lifetime: str | None) -> datetime:
    """When something kept from one and the same moment is gone."""
    if lifetime in (None, "session"):
        return _START
    return datetime.max.replace(tzinfo=UTC) if lifetime == "persistent" else add_period(_START, lifetime)
