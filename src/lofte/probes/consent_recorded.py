"""Consents on file and in the log: words that were really published, entries that really verify, boxes left for
people to tick.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from lofte.core import evidence, publication
from lofte.core.models import Entry
from lofte.evidence.verify import verify_receipt
from lofte.features.consent.models import Consent
from lofte.features.outreach.forms import specs
from lofte.kernel.problems import Problem
from lofte.probes.instruments import canary, pages, site_forms
from lofte.probes.instruments.newcomers import home_of
from lofte.probes.probe import Probe, Unable
from lofte.probes.world import World
from lofte.rules.controls.consent_recorded import ConsentRecords

_SAMPLE = 50  # newest consents of browsers whose receipts are opened each round
_ON_ITS_WAY = timedelta(minutes=2)  # a fact waits in the outbox for a moment before the log has it


def _gather(world: World, parameters: Mapping[str, Any]) -> ConsentRecords:
    grants = Consent.everyone.filter(action=Consent.Action.GRANTED)
    refused, receipts = _canary_receipts(world)
    sampled, wordless, wrong = _sample(world)
    return ConsentRecords(
        records=grants.count() + sampled + receipts,  # the canary's own is gone again, but its receipt was seen
        without_wording=_without_wording(world) + wordless,
        unlogged=_unlogged(world.now()),
        receipts=receipts + sampled,
        refused=tuple({*refused, *wrong}),
        ticked=tuple(sorted({*_ticked(world), *_ticked_forms(world)})),
        wordless=tuple({*_wordless(world), *_topics_without_words(world)}),
    )


def _canary_receipts(world: World) -> tuple[list[str], int]:
    try:
        walked = canary.walk(world)
    except Unable:
        return [], 0
    return walked.refused, walked.receipts


def _without_wording(world: World) -> int:
    """Grants whose words were never published: the pair of publication and wording must exist."""
    known: dict[str, set[str]] = {}
    lost = 0
    pairs = Consent.everyone.filter(action=Consent.Action.GRANTED).values_list("publication", "wording")
    for digest, wording in pairs:
        if digest not in known:
            known[digest] = _wordings(world, digest)
        lost += wording not in known[digest]
    return lost


def _wordings(world: World, digest: str) -> set[str]:
    try:
        return set(publication.load(world.home, digest).wordings.values())
    except Problem:
        return set()


def _unlogged(at: datetime) -> int:
    """Grants older than a moment that no entry of the log is about."""
    settled = Consent.everyone.filter(action=Consent.Action.GRANTED, at__lt=at - _ON_ITS_WAY).values_list(
        "id", flat=True
    )
    logged = set(Entry.everyone.filter(about__in=list(settled)).values_list("about", flat=True))
    return sum(one not in logged for one in settled)


def _sample(world: World) -> tuple[int, int, list[str]]:
    """The newest consents of browsers: how many, how many without published words, parts that did not verify."""
    if not evidence.has_log():
        return 0, 0, []
    log, wordless, wrong = evidence.log(), 0, []
    indexes = log.find("consent", _SAMPLE)
    for index in indexes:
        receipt = log.receipt(index)
        try:
            verified = verify_receipt(receipt, log.vkey())
        except Problem as problem:
            wrong.append(problem.place.key or problem.code)
            continue
        wording = verified.fact.get("wording")
        if _grants(verified.fact):
            wordless += not wording or wording not in _wordings(world, verified.policy or world.published.digest)
    return len(indexes), wordless, wrong


def _grants(fact: Mapping[str, Any]) -> bool:
    """Whether the entry records a yes: a person's grant, or a browser that allowed something."""
    return fact.get("event") == "consent.granted" or any(fact.get("choices", {}).values())


def _ticked(world: World) -> Iterator[str]:
    """Pages where a box for something that needs consent is ticked before anybody chose."""
    policy = world.published.policy
    for market, locale in world.editions():
        tail = f"{market.lower()}/{locale}/"
        for address in (home_of(world, market), f"/lofte/preferences/{tail}", f"/news/{tail}"):
            wants = {key for key, model in policy.browser_purposes(market).items() if model.value == "opt_in"}
            names = {f"choice.{key}" for key in wants} | {"consent"}
            forms = pages.fetch(world, address).page.forms
            if any(one.checked and one.name in names for form in forms for one in form.inputs):
                yield address


def _ticked_forms(world: World) -> Iterator[str]:
    """Forms on which a box is ticked before anybody touched it."""
    for one in site_forms.standing(world):
        if any(box.checked for box in one.boxes):
            yield one.address


def _wordless(world: World) -> Iterator[str]:
    """Forms with a box whose words are not those that the publication keeps under its name (GDPR 7(1))."""
    for one in site_forms.standing(world):
        said = {f"box.{box.key}": box.text for box in specs.words(one.spec, one.market, one.locale).boxes}
        for box in one.boxes:
            if box.name.startswith("box.") and (
                not said.get(box.name) or pages.not_in(one.form.text, [said[box.name]])
            ):
                yield f"{one.address} ({box.name})"


def _topics_without_words(world: World) -> Iterator[str]:
    """Topics offered where the publication has no consent words for one of their channels, or no name for them."""
    published = world.published
    for key, topic in published.policy.topics.items():
        for market, locale in world.editions():
            if topic.markets and market not in topic.markets:
                continue
            asked = {*specs.lenders(published, market, locale), *_by_own_form(world, market, locale)}
            if not published.words[locale].get("topics", {}).get(key, {}).get("name"):
                yield f"{key} ({locale})"
            yield from (f"{key}.{one} ({locale})" for one in topic.channels if f"{topic.purpose}-{one}" not in asked)


def _by_own_form(world: World, market: str, locale: str) -> set[str]:
    """Purposes for which a form of their own asks, by e-mail."""
    forms = world.published.policy.forms.items()
    named = {key: form for key, form in forms if f"{market}/{locale}/form.{key}" in world.published.wordings}
    return {f"{form.purpose}-email" for form in named.values() if form.kind == "newsletter"}


PROBE = Probe("consent_recorded", every=timedelta(hours=3), gather=_gather)
