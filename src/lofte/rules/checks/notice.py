"""What the law requires a notice to say, and whether the law packs have a value in force to go by."""

from collections.abc import Callable, Iterator, Mapping

from lofte.kernel.problems import Problem
from lofte.rules.checks.case import Case
from lofte.rules.checks.transfers import markets_of, needs_tool
from lofte.rules.codes import fault
from lofte.rules.model import Basis, Locale, MarketId
from lofte.rules.packs import NEEDED_TOPICS, NoticeItem, notice_items, notice_stems, value_at
from lofte.rules.texts import Block


def problems(case: Case) -> Iterator[Problem]:
    yield from _law(case)
    for market, locale in case.editions():
        pack = case.pack(market)
        if pack is None:
            continue
        blocks = case.blocks(market, locale)
        for item in notice_items(pack, case.at):
            if _applies(case, market, item) and not _is_met(item, blocks, locale):
                yield _missing(case, market, locale, item)


def _law(case: Case) -> Iterator[Problem]:
    for key, market in case.policy.markets.items():
        pack = case.pack(key)
        for topic in NEEDED_TOPICS if pack else ():
            assert pack is not None
            try:
                value_at(pack, topic, case.at)
            except Problem as expired:
                place = case.place("markets", key, "law")
                yield fault(
                    "law.value-expired",
                    f"{market.law}: {expired.detail}",
                    place,
                    expected=expired.expected,
                    law=expired.law,
                )


_CONDITIONS: Mapping[str, Callable[[Case, MarketId], bool]] = {
    "": lambda case, market: True,
    "consent": lambda case, market: any(item.basis is Basis.CONSENT for item in case.policy.purposes.values()),
    "legitimate_interest": lambda case, market: any(
        item.basis is Basis.LEGITIMATE_INTEREST for item in case.policy.purposes.values()
    ),
    "recipients": lambda case, market: any(
        market in markets_of(case, item) for item in case.policy.recipients.values()
    ),
    "storage": lambda case, market: bool(case.policy.browser_purposes(market)),
    "transfers": lambda case, market: _has_transfers(case, market),
}


def _applies(case: Case, market: MarketId, item: NoticeItem) -> bool:
    return _CONDITIONS[item.when](case, market)


def _has_transfers(case: Case, market: MarketId) -> bool:
    pack = case.pack(market)
    return pack is not None and any(
        needs_tool(pack, transfer.country)
        for recipient in case.policy.recipients.values()
        if market in markets_of(case, recipient)
        for transfer in recipient.transfers
    )


def _is_met(item: NoticeItem, blocks: list[Block], locale: Locale) -> bool:
    """By a value used, by words said, or by both in one block."""
    return any(_says(item, block, locale) for block in blocks)


def _says(item: NoticeItem, block: Block, locale: Locale) -> bool:
    used = {use.name for use in block.values()}
    if item.values and not used.intersection(item.values):
        return False
    text = block.markdown.lower()
    return all(
        any(stem in text for stem in notice_stems(words, locale)) for words in filter(None, item.words.split("+"))
    )


def _missing(case: Case, market: MarketId, locale: Locale, item: NoticeItem) -> Problem:
    place = case.place("markets", market)
    named = type(place)(place.file, place.line, f"markets.{market}.notice.{item.id}")
    values = " or ".join(f"{{{{{value}}}}}" for value in item.values)
    stems = ", ".join(
        f"“{stem}”" for words in filter(None, item.words.split("+")) for stem in notice_stems(words, locale)
    )
    parts = [f"{values}" if values else "", f"words such as {stems}" if stems else ""]
    expected = f"in text/{locale}: " + " together with ".join(filter(None, parts))
    detail = f"the text in {locale} for {market} does not tell people {item.says}"
    return fault("notice.missing-item", detail, named, expected=expected, law=item.law)
