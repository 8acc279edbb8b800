"""Promises: each kept by a control, each said somewhere, none contradicted by what is declared beside it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lofte.kernel.problems import Place, Problem
from lofte.rules.checks.case import Case
from lofte.rules.checks.transfers import lawful, markets_of
from lofte.rules.codes import fault
from lofte.rules.model import Basis, Binding, ClockKind, StorageModel
from lofte.rules.packs import eea, laws, normal_country


def problems(case: Case) -> Iterator[Problem]:
    said = {promise for blocks in case.source.texts.values() for block in blocks for promise in block.promises}
    for key, promise in case.policy.promises.items():
        if not promise.controls:
            detail = f"nothing keeps {key}"
            yield fault(
                "promise.no-control",
                detail,
                case.place("promises", key),
                expected="`controls` with at least one control",
            )
        if key not in said and case.source.texts:
            detail = f"no paragraph makes {key}"
            yield fault("promise.never-said", detail, case.place("promises", key), expected=f"a block `@ <key> {key}`")
        for index, binding in enumerate(promise.controls):
            bound = Bound(case, key, index, binding)
            yield from _binding(bound)


@dataclass(frozen=True, slots=True)
class Bound:
    """One control bound to one promise."""

    case: Case
    promise: str
    index: int
    binding: Binding

    def place(self, *path: str | int) -> Place:
        return self.case.place("promises", self.promise, "controls", self.index, *path)

    def place_of(self, parameter: str) -> Place:
        return self.place("with", parameter)

    def named(self, *parameters: str) -> list[str]:
        """The ids in any of these parameters, which hold one id or a list of them."""
        found: list[str] = []
        for parameter in parameters:
            value = self.binding.parameters.get(parameter, [])
            found += [str(item) for item in (value if isinstance(value, list) else [value])]
        return found

    def contradiction(self, parameter: str, detail: str, expected: str, law: str | None = None) -> Problem:
        return fault(
            "promise.contradiction", f"{self.promise}: {detail}", self.place_of(parameter), expected=expected, law=law
        )


def _binding(bound: Bound) -> Iterator[Problem]:
    case, binding = bound.case, bound.binding
    if case.controls and binding.control not in case.controls:
        detail = f"there is no control `{binding.control}`"
        near = ", ".join(sorted(case.controls))
        yield fault("promise.unknown-control", detail, bound.place("control"), expected=f"one of {near}")
    yield from _parameters(bound)
    yield from _agreements(bound)
    rule = _BY_CONTROL.get(binding.control)
    if rule is not None:
        yield from rule(bound)


# Parameters that name declarations must name declared ones

_SECTIONS = {
    "market": "markets",
    "purpose": "purposes",
    "clock": "clocks",
    "recipient": "recipients",
    "field": "fields",
    "form": "forms",
    "tag": "tags",
    "system": "systems",
    "cookie": "cookies",
    "relation": "relations",
}


def _parameters(bound: Bound) -> Iterator[Problem]:
    for parameter, value in bound.binding.parameters.items():
        named = bound.named(parameter)
        for index, item in enumerate(named):
            known = _known(bound.case, parameter)
            if known is not None and item not in known:
                path = ("with", parameter, index) if isinstance(value, list) else ("with", parameter)
                detail = f"`{item}` is not declared"
                yield fault(
                    "policy.dangling-reference",
                    detail,
                    bound.place(*path),
                    expected=f"one of {', '.join(sorted(known))}",
                )


def _known(case: Case, parameter: str) -> set[str] | None:
    """What a parameter of this name may name; None when the name says nothing."""
    singular = parameter[:-1] if parameter.endswith("s") else parameter
    if singular in _SECTIONS:
        section = _SECTIONS[singular]
        return set(getattr(case.policy, section)) | {key for held, key in case.source.set_aside if held == section}
    match singular:
        case "locale":
            return set(case.policy.locales())
        case "law":
            return set(laws())
        case "office":
            return {office.city for office in case.policy.organisation.offices}
        case _:
            return None


# Parameters that repeat a declaration must agree with it

_AGREEMENTS: tuple[tuple[str, str, str, str], ...] = (
    # the parameter that names it, its section, the parameter that repeats, the declared attribute
    ("purpose", "purposes", "basis", "basis"),
    ("relation", "relations", "clock", "clock"),
    ("form", "forms", "purpose", "purpose"),
    ("tag", "tags", "purpose", "purpose"),
    ("cookie", "cookies", "purpose", "purpose"),
    ("clock", "clocks", "period", "period"),
)


def _agreements(bound: Bound) -> Iterator[Problem]:
    parameters = bound.binding.parameters
    for name, section, repeated, attribute in _AGREEMENTS:
        if repeated not in parameters or isinstance(parameters[repeated], list):
            continue
        for key in bound.named(name, f"{name}s"):
            item = getattr(bound.case.policy, section).get(key)
            declared = getattr(item, attribute, None)
            if item is not None and declared != parameters[repeated]:
                detail = f"says {repeated} `{parameters[repeated]}`, while {section}.{key} declares `{declared}`"
                yield bound.contradiction(repeated, detail, f"`{declared}`")
    updated = parameters.get("last_updated")
    if updated is not None and updated != bound.case.policy.last_updated:
        declared = bound.case.policy.last_updated
        yield bound.contradiction(
            "last_updated", f"says {updated}, while the policy was updated {declared}", f"`{declared}`"
        )


# What single controls promise


def _nothing_leaves(bound: Bound) -> Iterator[Problem]:
    """A recipient seated outside contradicts; so does an onward transfer without a lawful tool."""
    promised = bound.named("markets") or list(bound.case.policy.markets)
    inside = eea() | set(promised)  # an office named in the promise is no third country to itself
    strict = bound.binding.parameters.get("without_exception") is True
    for key, recipient in bound.case.policy.recipients.items():
        markets = [market for market in markets_of(bound.case, recipient) if market in promised]
        if not markets:
            continue
        outside = normal_country(recipient.country)
        if outside not in inside:
            detail = f"says nothing leaves the EEA from {', '.join(markets)}, while {recipient.name} is in {outside}"
            yield _at_recipient(bound, key, ("country",), detail)
        for index, transfer in enumerate(recipient.transfers):
            packs = [pack for pack in map(bound.case.pack, markets) if pack]
            if normal_country(transfer.country) in inside:
                continue
            if strict or not all(lawful(pack, transfer, bound.case.at) for pack in packs):
                reason = "and promises no exception" if strict else "without a lawful tool"
                detail = (
                    f"says nothing leaves the EEA, while {recipient.name} takes data to {transfer.country} {reason}"
                )
                yield _at_recipient(bound, key, ("transfers", index, "country"), detail)


def _at_recipient(bound: Bound, key: str, path: tuple[str | int, ...], detail: str) -> Problem:
    place = bound.case.place("recipients", key, *path)
    expected = f"a country inside the EEA, or {bound.promise} limited to other markets"
    return fault(
        "promise.contradiction", f"{bound.promise}: {detail}", place, expected=expected, law="GDPR 44, 13(1)(f)"
    )


def _nothing_before_consent(bound: Bound) -> Iterator[Problem]:
    policy = bound.case.policy
    markets = [market for market in bound.named("markets") or policy.markets if market in policy.markets]
    allowed = bound.named("allowed")
    for market in markets:
        for key, model in policy.browser_purposes(market).items():
            purpose = policy.purposes[key]
            if model not in (StorageModel.NECESSARY, StorageModel.OPT_IN):
                detail = f"says nothing is stored before consent, while `{key}` is {model.value} in {market}"
                path = ("storage_by_market", market) if market in purpose.storage_by_market else ("storage",)
                place = bound.case.place("purposes", key, *path)
                yield fault(
                    "promise.contradiction",
                    f"{bound.promise}: {detail}",
                    place,
                    expected="`opt_in`",
                    law="ePrivacy 5(3)",
                )
            elif key in allowed and model is not StorageModel.NECESSARY:
                detail = f"allows `{key}` before consent, which asks for consent in {market}"
                yield bound.contradiction("allowed", detail, "necessary purposes only", "ePrivacy 5(3)")


def _basis_of_purposes(basis: Basis) -> Callable[[Bound], Iterator[Problem]]:
    def rule(bound: Bound) -> Iterator[Problem]:
        for parameter in ("purpose", "purposes"):
            for key in bound.named(parameter):
                purpose = bound.case.policy.purposes.get(key)
                if purpose is not None and purpose.basis is not basis:
                    detail = f"speaks of {basis.value.replace('_', ' ')}, while `{key}` rests on {purpose.basis.value}"
                    yield bound.contradiction(
                        parameter, detail, f"a purpose with `basis: {basis.value}`", "GDPR 6(1), 13(1)(c)"
                    )

    return rule


def _clock_of_kind(kind: ClockKind) -> Callable[[Bound], Iterator[Problem]]:
    def rule(bound: Bound) -> Iterator[Problem]:
        for key in bound.named("clock"):
            clock = bound.case.policy.clocks.get(key)
            if clock is not None and clock.kind is not kind:
                detail = f"is about {kind.value.replace('_', ' ')}, while `{key}` is a clock of {clock.kind.value}"
                yield bound.contradiction("clock", detail, f"a clock of kind `{kind.value}`", "GDPR 5(1)(e)")

    return rule


def _forms_ask_no_more(bound: Bound) -> Iterator[Problem]:
    fields = bound.named("fields")
    for key in bound.named("forms") or bound.case.policy.forms:
        form = bound.case.policy.forms.get(key)
        asked = [item.field for item in form.fields] if form else []
        more = [field for field in asked if fields and field not in fields]
        if more:
            detail = f"says forms ask only for {', '.join(fields)}, while `{key}` asks for {', '.join(more)}"
            yield bound.contradiction("fields", detail, "the fields the forms ask for", "GDPR 5(1)(c)")


def _clocks_apart(bound: Bound) -> Iterator[Problem]:
    """Relations said to have a clock apart: nobody else runs on it, and what is held for them does."""
    policy = bound.case.policy
    apart = {key: policy.relations[key] for key in bound.named("apart") if key in policy.relations}
    if unknown := [key for key in bound.named("apart") if key not in policy.relations]:
        yield bound.contradiction("apart", f"sets apart {', '.join(unknown)}, which are no relations", "relations")
    for key, one in apart.items():
        others = [name for name, other in policy.relations.items() if name != key and other.clock == one.clock]
        others += [
            name for name, other in policy.purposes.items() if other.clock == one.clock and name not in one.purposes
        ]
        if others:
            detail = f"sets `{key}` apart, while its clock `{one.clock}` is that of {', '.join(others)} too"
            yield bound.contradiction("apart", detail, f"a clock of its own for `{key}`", "GDPR 5(1)(e)")
        if not any(policy.purposes[each].clock == one.clock for each in one.purposes if each in policy.purposes):
            detail = f"sets `{key}` apart, while nothing is held on its clock `{one.clock}`"
            yield bound.contradiction("apart", detail, f"a purpose of `{key}` on its clock", "GDPR 5(1)(e)")
    own = {one.clock for one in apart.values()}
    for name, form in policy.forms.items():
        purpose = policy.purposes.get(form.purpose)
        if apart and form.kind in _KINDS_APART and purpose is not None and purpose.clock not in own:
            detail = f"sets kinds of contact apart, while `{name}` runs on `{purpose.clock}`"
            yield bound.contradiction("apart", detail, f"one of {', '.join(sorted(own))} for `{name}`", "GDPR 5(1)(e)")


_KINDS_APART = ("application", "supplier", "partner")

_BY_CONTROL: Mapping[str, Callable[[Bound], Iterator[Problem]]] = {
    "no_transfer_outside_eea": _nothing_leaves,
    "nothing_before_consent": _nothing_before_consent,
    "legitimate_interest_balanced": _basis_of_purposes(Basis.LEGITIMATE_INTEREST),
    "consent_recorded": _basis_of_purposes(Basis.CONSENT),
    "newsletter_only_with_consent": _basis_of_purposes(Basis.CONSENT),
    "analytics_after_consent": _basis_of_purposes(Basis.CONSENT),
    "ads_after_consent": _basis_of_purposes(Basis.CONSENT),
    "pixels_after_consent": _basis_of_purposes(Basis.CONSENT),
    "withdrawal_at_once": _basis_of_purposes(Basis.CONSENT),
    "event_on_contract": _basis_of_purposes(Basis.CONTRACT),
    "customer_on_contract": _basis_of_purposes(Basis.CONTRACT),
    "gone_after_withdrawal_or_inactivity": _clock_of_kind(ClockKind.INACTIVITY),
    "gone_after_relation": _clock_of_kind(ClockKind.END_OF_RELATION),
    "relations_have_clocks": _clocks_apart,
    "forms_only_declared_fields": _forms_ask_no_more,
}


def promised_clocks(parameters: Mapping[str, Any]) -> list[str]:
    value = parameters.get("clock", parameters.get("clocks", []))
    return [str(item) for item in (value if isinstance(value, list) else [value])]
