"""Storage on people's devices: what may be there before they choose, and what each cookie must say of itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

from lofte.kernel.problems import Problem
from lofte.rules.checks.case import Case
from lofte.rules.codes import fault
from lofte.rules.frames import ID, host_in, names_host
from lofte.rules.known import catalogue, known_as
from lofte.rules.model import Basis, MarketId, Purpose, StorageModel
from lofte.rules.packs import find_value, value_at

_EXEMPT = StorageModel.EXEMPT_WITH_OBJECTION


def problems(case: Case) -> Iterator[Problem]:
    yield from _purposes(case)
    yield from _models(case)
    yield from _sharing(case)
    yield from _exempt(case)
    yield from _necessary(case)
    yield from _frames(case)
    yield from _cookies(case)
    yield from _data(case)


@dataclass(frozen=True, slots=True)
class KnownStorage:
    """Storage and hosts that everybody knows to be analytics or advertising."""

    names: tuple[str, ...]
    hosts: tuple[str, ...]


@cache
def known_storage() -> KnownStorage:
    text = files("lofte.rules.checks").joinpath("known-storage.yaml").read_text(encoding="utf-8")
    content: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    return KnownStorage(tuple(content["names"]), tuple(content["hosts"]))


def is_known_name(name: str) -> bool:
    """Whether a cookie's name is known for analytics or advertising; ``*`` stands for a varying end."""
    bare = name.rstrip("*")
    return any(
        bare.startswith(known.rstrip("*")) if known.endswith("*") else name == known for known in known_storage().names
    )


def is_known_host(host: str) -> bool:
    bare = host.removeprefix("*.").lower()
    return any(bare == known or bare.endswith(f".{known}") for known in known_storage().hosts)


def _models_of(case: Case, purpose: Purpose) -> dict[MarketId, StorageModel]:
    default = purpose.storage or StorageModel.OPT_IN
    return {market: purpose.storage_by_market.get(market, default) for market in case.policy.markets}


def _purposes(case: Case) -> Iterator[Problem]:
    for key, purpose in case.policy.purposes.items():
        if purpose.scope != "browser":
            continue
        models = set(_models_of(case, purpose).values())
        place = case.place("purposes", key, "basis")
        if StorageModel.OPT_IN in models and purpose.basis is not Basis.CONSENT:
            detail = f"`{key}` stores on opt-in but rests on {purpose.basis.value.replace('_', ' ')}"
            yield fault("storage.without-consent", detail, place, expected="`basis: consent`")
        if StorageModel.NECESSARY in models and purpose.basis is Basis.CONSENT:
            detail = f"`{key}` rests on consent and is declared necessary"
            place = case.place("purposes", key, "storage")
            yield fault("storage.consent-declared-necessary", detail, place, expected="`storage: opt_in`")
        if StorageModel.NECESSARY in models and not purpose.necessary_because:
            detail = f"`{key}` is declared necessary without a reason"
            place = case.place("purposes", key, "storage")
            yield fault("storage.no-reason", detail, place, expected="`necessary_because: true`")


def _models(case: Case) -> Iterator[Problem]:
    for key, purpose in case.policy.purposes.items():
        if purpose.scope != "browser":
            continue
        for market, model in _models_of(case, purpose).items():
            allowed = _allowed(case, market)
            if allowed is None or model in allowed:
                continue
            path = ("storage_by_market", market) if market in purpose.storage_by_market else ("storage",)
            names = ", ".join(sorted(allowed))
            detail = f"`{model.value}` is not lawful in {market}"
            citation = _citation(case, market)
            place = case.place("purposes", key, *path)
            yield fault("storage.forbidden-model", detail, place, expected=f"one of {names}", law=citation)


def _allowed(case: Case, market: MarketId) -> set[str] | None:
    """The storage models a market's law knows on the day; None when the pack cannot say (reported elsewhere)."""
    pack = case.pack(market)
    if pack is None:
        return None
    try:
        storage = value_at(pack, "storage", case.at).value
    except Problem:
        return None
    return {"necessary", "opt_in", storage["model"], *storage.get("also", ())}


def _citation(case: Case, market: MarketId) -> str:
    pack = case.pack(market)
    return value_at(pack, "storage", case.at).citation if pack else ""


def _sharing(case: Case) -> Iterator[Problem]:
    for key, market in _exempted(case):
        for tag_key, tag in case.policy.tags.items():
            recipient = case.policy.recipients.get(tag.recipient)
            if tag.purpose != key or recipient is None:
                continue
            own_ends = [catalogue()[name].name for name in known_as(tag) if catalogue()[name].own_ends]
            if recipient.role != "processor":
                why = f"{recipient.name}, a {recipient.role}"
            elif own_ends:
                why = f"{recipient.name}, which may use what {own_ends[0]} sends for ends of its own"
            else:
                continue
            detail = f"`{tag_key}` sends to {why}, while `{key}` is exempt in {market}"
            yield fault(
                "storage.exemption-shared", detail, case.place("tags", tag_key, "purpose"), expected="a processor"
            )


def _exempt(case: Case) -> Iterator[Problem]:
    """An exemption is one the law of the market has on the day, and for nothing besides (PECR Sch A1 paras 5 and 6)."""
    for key, market in _exempted(case):
        purpose, pack = case.policy.purposes[key], case.pack(market)
        rule = find_value(pack, "storage_exemptions", case.at) if pack else None
        there_are = rule.value["exempt_with_objection"] if rule else []
        if there_are and purpose.exempt_as not in there_are:
            detail = f"`{key}` is exempt in {market} and names no exemption"
            place = case.place("purposes", key, "exempt_as")
            yield fault("storage.exemption-unnamed", detail, place, expected=f"one of {', '.join(there_are)}")
        for tag_key, tag in case.policy.tags.items():
            beside = [catalogue()[name] for name in known_as(tag) if catalogue()[name].kind in ("advertising", "video")]
            if tag.purpose == key and beside:
                detail = f"`{tag_key}` is {beside[0].name}, while `{key}` is exempt in {market}"
                place = case.place("tags", tag_key, "purpose")
                yield fault("storage.exemption-advertising", detail, place, expected="a purpose on opt-in")
        for index, kind in enumerate(purpose.signals):
            if kind.value.startswith("ad_"):
                detail = f"`{key}` is exempt in {market} and answers for {kind.value}"
                place = case.place("purposes", key, "signals", index)
                yield fault("storage.exemption-advertising", detail, place, expected="a purpose on opt-in")


def _exempted(case: Case) -> Iterator[tuple[str, MarketId]]:
    """Each purpose that is exempt somewhere, with the first market where it is."""
    for key, purpose in case.policy.purposes.items():
        if purpose.scope == "browser":
            yield from [(key, market) for market, model in _models_of(case, purpose).items() if model is _EXEMPT][:1]


def _necessary(case: Case) -> Iterator[Problem]:
    """Consent-based storage in the clothes of necessity."""
    policy = case.policy
    necessary = {
        key
        for key, purpose in policy.purposes.items()
        if purpose.scope == "browser" and StorageModel.NECESSARY in _models_of(case, purpose).values()
    }
    code = "storage.consent-declared-necessary"
    for key in sorted(necessary):
        for index, kind in enumerate(policy.purposes[key].signals):
            if kind.value.startswith(("ad_", "analytics_")):
                detail, place = f"`{key}` answers for {kind.value}", case.place("purposes", key, "signals", index)
                yield fault("signal.necessary", detail, place, expected="a purpose that asks for consent")
    for key, tag in policy.tags.items():
        host = next(filter(is_known_host, tag.hosts), None)
        if tag.purpose in necessary and host:
            detail = f"`{key}` loads {host}, known for analytics or advertising, under `{tag.purpose}`"
            yield fault(code, detail, case.place("tags", key, "purpose"), expected="a purpose that asks for consent")
    for key, cookie in policy.cookies.items():
        if cookie.purpose not in necessary:
            continue
        tag_of = policy.tags.get(cookie.tag or "")
        if tag_of is not None and tag_of.purpose not in necessary:
            why = f"its tag `{cookie.tag}` serves `{tag_of.purpose}`, which asks for consent"
        elif is_known_name(cookie.name):
            why = f"{cookie.name} is known for analytics or advertising"
        elif cookie.host and is_known_host(cookie.host):
            why = f"{cookie.host} is known for analytics or advertising"
        else:
            continue
        place = case.place("cookies", key, "purpose")
        detail = f"`{key}` is declared necessary, but {why}"
        yield fault(code, detail, place, expected="a purpose that asks for consent")


def _frames(case: Case) -> Iterator[Problem]:
    """Posters are fetched by the server: from nowhere but the hosts of the frame's own tag."""
    for key, tag in case.policy.tags.items():
        for index, frame in enumerate(tag.frames):
            fetched = {"loads": frame.loads, "poster": frame.poster, "page": frame.page}
            given: list[tuple[tuple[str | int, ...], str]]
            given = [(("addresses", number), address) for number, address in enumerate(frame.addresses)]
            given += [((name,), address) for name, address in fetched.items() if address]
            ids = min(address.count(ID) for address in frame.addresses)
            for name, address in given:
                place, host = case.place("tags", key, "frames", index, *name), host_in(address)
                if name != ("page",) and not any(names_host(pattern, host) for pattern in tag.hosts):
                    detail = f"`{key}` does not name {host}"
                    yield fault("frame.undeclared-host", detail, place, expected="a host of the tag")
                if address.count(ID) > min(ids, 1):
                    yield fault("frame.no-id", f"nothing in `{key}` fills {address}", place, expected="`{id}` once")


def _cookies(case: Case) -> Iterator[Problem]:
    for key, cookie in case.policy.cookies.items():
        if cookie.lifetime is None:
            detail = f"`{key}` has no lifetime"
            yield fault("cookie.no-lifetime", detail, case.place("cookies", key), expected="`lifetime`")
        if cookie.party == "third" and not cookie.host:
            detail = f"`{key}` is third party and names no host"
            yield fault("cookie.no-host", detail, case.place("cookies", key), expected="`host`")
        tag = case.policy.tags.get(cookie.tag or "")
        if tag is not None and cookie.provider != tag.recipient:
            detail = f"`{key}` is by `{cookie.provider}`, its tag by `{tag.recipient}`"
        elif cookie.party == "third" and cookie.provider == "self":
            detail = f"`{key}` is the site's own and yet third party"
        else:
            continue
        expected = f"`{tag.recipient}`" if tag else "a recipient"
        yield fault("cookie.wrong-provider", detail, case.place("cookies", key, "provider"), expected=expected)


def _data(case: Case) -> Iterator[Problem]:
    for section in ("tags", "cookies"):
        for key, item in getattr(case.policy, section).items():
            purpose = case.policy.purposes.get(item.purpose)
            if purpose is None:
                continue
            for index, field in enumerate(item.data):
                if field not in purpose.fields and case.is_known("fields", field):
                    detail = f"`{key}` holds `{field}`, which `{item.purpose}` does not name"
                    place = case.place(section, key, "data", index)
                    yield fault(
                        "storage.data-beyond-purpose", detail, place, expected=f"one of {', '.join(purpose.fields)}"
                    )
