"""Declarations: what refers to what, and whether each says enough to be kept."""

from collections.abc import Iterator, Mapping

from lofte.kernel.problems import Problem
from lofte.rules.catalogue import LOCALES
from lofte.rules.checks.case import Case
from lofte.rules.clocks import add_period
from lofte.rules.codes import fault
from lofte.rules.floors import RECORD_KINDS, covers
from lofte.rules.model import Basis, Clock, ClockKind
from lofte.rules.packs import laws

REFERENCES: tuple[tuple[str, str, str], ...] = (
    # section, field, the section its values are keys of
    ("markets", "controller", "controllers"),
    ("purposes", "fields", "fields"),
    ("purposes", "clock", "clocks"),
    ("purposes", "storage_by_market", "markets"),
    ("relations", "purposes", "purposes"),
    ("relations", "clock", "clocks"),
    ("recipients", "markets", "markets"),
    ("systems", "recipient", "recipients"),
    ("systems", "fields", "fields"),
    ("tags", "recipient", "recipients"),
    ("tags", "purpose", "purposes"),
    ("tags", "data", "fields"),
    ("cookies", "provider", "recipients"),
    ("cookies", "tag", "tags"),
    ("cookies", "system", "systems"),
    ("cookies", "purpose", "purposes"),
    ("cookies", "data", "fields"),
    ("forms", "purpose", "purposes"),
    ("forms", "markets", "markets"),
)

_NO_RECORD = ("dialogue", "behaviour", "device", "preference")
_LOW_ENTROPY = ("choice", "date", "number", "ip", "event")


def problems(case: Case) -> Iterator[Problem]:
    yield from _empty(case)
    yield from _references(case)
    yield from _unused(case)
    yield from _markets(case)
    yield from _purposes(case)
    yield from _clocks(case)
    yield from _records(case)
    yield from _brake(case)
    yield from _fields(case)


def _empty(case: Case) -> Iterator[Problem]:
    for section in ("controllers", "markets", "purposes", "promises"):
        if not getattr(case.policy, section) and not any(held == section for held, _ in case.source.set_aside):
            yield fault("policy.empty", f"{section} holds nothing", case.place(section), expected="at least one")


def _references(case: Case) -> Iterator[Problem]:
    for section, name, target in REFERENCES:
        for key, item in getattr(case.policy, section).items():
            value = getattr(item, name)
            named: list[tuple[str, tuple[str | int, ...]]]
            if isinstance(value, Mapping):
                named = [(each, (each,)) for each in value]
            elif isinstance(value, list):
                named = [(each, (index,)) for index, each in enumerate(value)]
            else:
                named = [(value, ())] if value else []
            for each, tail in named:
                if not case.is_known(target, each) and (name, each) != ("provider", "self"):
                    yield _dangling(case, (section, key, name, *tail), each, target)
    for key, form in case.policy.forms.items():
        for index, asked in enumerate(form.fields):
            if not case.is_known("fields", asked.field):
                yield _dangling(case, ("forms", key, "fields", index, "field"), asked.field, "fields")


def _dangling(case: Case, path: tuple[str | int, ...], named: str, target: str) -> Problem:
    known = ", ".join(getattr(case.policy, target)) or "nothing is declared there"
    return fault(
        "policy.dangling-reference",
        f"`{named}` is not declared in {target}",
        case.place(*path),
        expected=f"one of {known}",
    )


def _unused(case: Case) -> Iterator[Problem]:
    policy = case.policy
    fields = [purpose.fields for purpose in policy.purposes.values()] + [
        item.fields for item in policy.systems.values()
    ]
    fields += [tag.data for tag in policy.tags.values()] + [cookie.data for cookie in policy.cookies.values()]
    clocks = [purpose.clock for purpose in policy.purposes.values()] + [
        item.clock for item in policy.relations.values()
    ]
    used: dict[str, set[str | None]] = {
        "controllers": {market.controller for market in policy.markets.values()},
        "clocks": set(clocks),
        "fields": {field for each in fields for field in each},
    }
    for section, keys in used.items():
        for key in getattr(policy, section):
            if key not in keys and not case.source.set_aside:
                yield fault("policy.unused", f"nothing uses `{key}`", case.place(section, key))


def _markets(case: Case) -> Iterator[Problem]:
    addresses: dict[tuple[str, str], str] = {}
    for key, market in case.policy.markets.items():
        pack = case.pack(key)
        place = case.place("markets", key, "law")
        if pack is None:
            yield fault(
                "market.unknown-law", f"no law pack `{market.law}`", place, expected=f"one of {', '.join(laws())}"
            )
        elif pack.country != market.country:
            detail = f"the law pack {pack.law} is of {pack.country}, the market of {market.country}"
            yield fault("market.wrong-law", detail, place, expected=f"a law pack of {market.country}")
        for index, locale in enumerate(market.locales):
            if locale not in LOCALES:
                place = case.place("markets", key, "locales", index)
                detail = f"the interface does not speak `{locale}`"
                yield fault("market.unknown-locale", detail, place, expected=f"one of {', '.join(LOCALES)}")
        for domain in market.domains:
            other = addresses.setdefault((domain, market.path), key)
            if other != key:
                place = case.place("markets", key, "path")
                yield fault("market.same-address", f"{domain}{market.path} is also the address of {other}", place)


def _purposes(case: Case) -> Iterator[Problem]:
    clocked = {name for relation in case.policy.relations.values() for name in relation.purposes}
    for key, purpose in case.policy.purposes.items():
        if purpose.basis is Basis.LEGITIMATE_INTEREST and purpose.balancing is None:
            detail = f"`{key}` rests on legitimate interest without a balancing test"
            yield fault(
                "purpose.no-balancing-test", detail, case.place("purposes", key, "basis"), expected="`balancing`"
            )
        if purpose.scope != "person":
            continue
        if purpose.clock is None and key not in clocked:
            detail = f"nothing says how long data for `{key}` is kept"
            yield fault("purpose.no-clock", detail, case.place("purposes", key), expected="`clock`")
        if not purpose.fields:
            yield fault("purpose.no-fields", f"`{key}` names no data", case.place("purposes", key), expected="`fields`")


def _clocks(case: Case) -> Iterator[Problem]:
    for key, clock in case.policy.clocks.items():
        if clock.kind is not ClockKind.WITHDRAWAL and clock.period is None:
            detail = f"`{key}` has no period"
            yield fault("clock.no-period", detail, case.place("clocks", key), expected="`period` such as P24M")
        if clock.kind is ClockKind.INACTIVITY and not clock.signals:
            detail = f"`{key}` does not say what counts as activity"
            yield fault("clock.no-signals", detail, case.place("clocks", key), expected="`signals`")
        yield from _warning(case, key, clock)


def _warning(case: Case, key: str, clock: Clock) -> Iterator[Problem]:
    if clock.warn is None and clock.grace is None:
        return
    place = case.place("clocks", key, "warn" if clock.warn else "grace")
    if clock.kind is not ClockKind.INACTIVITY:
        yield fault("clock.warn-no-end", f"nobody can put off `{key}`", place, expected="kind: inactivity")
        return
    if "kept" not in clock.signals:
        place = case.place("clocks", key, "signals")
        yield fault("clock.warn-deaf", f"`{key}` asks and does not hear `kept`", place, expected="`kept` among them")
    day = case.at
    if clock.period and clock.warn and add_period(day, clock.warn) >= add_period(day, clock.period):
        detail = f"`{key}` lasts {clock.period} and asks {clock.warn} before its end"
        yield fault("clock.warn-too-long", detail, place, expected=f"less than {clock.period}")
    if clock.grace and (clock.warn is None or add_period(day, clock.grace) > add_period(day, clock.warn)):
        detail = f"`{key}` leaves {clock.grace} to answer and asks {clock.warn or 'nobody'}"
        place = case.place("clocks", key, "grace")
        yield fault("clock.grace-too-long", detail, place, expected=f"at most {clock.warn or 'a `warn`'}")


def _records(case: Case) -> Iterator[Problem]:
    """What a statute keeps: a kind a law pack knows, on the ground of that law, with no more than a record needs."""
    for key, purpose in case.policy.purposes.items():
        if purpose.record is None:
            continue
        place = case.place("purposes", key, "record")
        if purpose.record not in RECORD_KINDS:
            kinds = ", ".join(sorted(RECORD_KINDS))
            yield fault(
                "purpose.unknown-record", f"`{purpose.record}` is no kind of record", place, expected=f"one of {kinds}"
            )
            continue
        if purpose.basis is not Basis.LEGAL_OBLIGATION:
            place = case.place("purposes", key, "basis")
            yield fault("purpose.record-basis", f"`{key}` rests on {purpose.basis}", place, expected="legal_obligation")
        for index, field in enumerate(purpose.fields):
            declared = case.policy.fields.get(field)
            if declared is not None and declared.category in _NO_RECORD:
                detail = f"`{field}` is {declared.category}, which no record needs"
                where = case.place("purposes", key, "fields", index)
                yield fault("purpose.record-too-wide", detail, where, expected="what the statute asks for")
        for market in case.policy.markets:
            pack = case.pack(market)
            if pack is not None and not covers(pack, purpose.record):
                detail = f"the law of {market} says nothing of how long a {purpose.record} is kept"
                yield fault("purpose.record-no-floor", detail, case.place("purposes", key, "record"))


def _brake(case: Case) -> Iterator[Problem]:
    if case.policy.retention.brake.share == 1:
        yield fault("brake.off", "a run may take the whole register", case.place("retention", "brake", "share"))


def _fields(case: Case) -> Iterator[Problem]:
    for key, field in case.policy.fields.items():
        if field.indexed and field.kind in _LOW_ENTROPY:
            detail = f"`{key}` is a {field.kind} and is indexed"
            place = case.place("fields", key, "indexed")
            yield fault("field.indexed-low-entropy", detail, place, expected="`indexed: false`")
