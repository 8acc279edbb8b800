"""Texts: complete in every locale, every paragraph bound, no number typed by hand, every value with a meaning."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from lofte.kernel.problems import Place, Problem
from lofte.rules.checks.case import Case
from lofte.rules.checks.promises import promised_clocks
from lofte.rules.codes import fault
from lofte.rules.model import Basis, Locale, StorageModel
from lofte.rules.source import Tree
from lofte.rules.texts import Block
from lofte.rules.values import BLOCK_VALUES, inline_values, known_names

BANNER_WORDS = ("title", "lead", "accept", "reject", "choose", "save", "withdraw_hint", "settings_link")


def problems(case: Case) -> Iterator[Problem]:
    spoken = case.policy.locales()
    for locale in spoken:
        if locale not in case.source.texts:
            place = next(
                case.place("markets", key, "locales") for key, m in case.policy.markets.items() if locale in m.locales
            )
            yield fault("text.missing-locale", f"no text in `{locale}`", place, expected=f"text/{locale}/*.md")
        yield from _words(case, locale)
    yield from _paragraphs(case, [locale for locale in spoken if locale in case.source.texts])
    known = known_names(case.policy, case.at)
    for locale in spoken:
        for block in case.source.texts.get(locale, ()):
            yield from _binding(case, block)
            yield from _numbers(locale, block)
            yield from _values(case, locale, block, known)
            yield from _clocks(case, block)


# Words


def required_words(case: Case) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every short text a policy needs, with the code to report when it lacks."""
    policy, word = case.policy, "text.missing-word"
    for key in policy.fields:
        yield ("fields", key), word
    for key, purpose in policy.purposes.items():
        parts = ["name", "why"] + (["interest", "necessity", "balance"] if purpose.balancing else [])
        models = {purpose.storage, *purpose.storage_by_market.values()}
        parts += ["necessary"] if purpose.scope == "browser" and StorageModel.NECESSARY in models else []
        yield from ((("purposes", key, part), word) for part in parts)
    for section, part in (
        ("relations", "name"),
        ("clocks", "name"),
        ("recipients", "why"),
        ("systems", "why"),
        ("tags", "why"),
    ):
        yield from (((section, key, part), word) for key in getattr(policy, section))
    yield from ((("cookies", key, "function"), "cookie.no-function") for key in policy.cookies)
    for key, form in policy.forms.items():
        purpose_of = policy.purposes.get(form.purpose)
        asks = purpose_of is not None and purpose_of.basis is Basis.CONSENT
        parts = ["name", "lead", "submit"] + (["consent"] if asks else [])
        yield from ((("forms", key, part), word) for part in parts)
        yield from ((("forms", key, "boxes", f"{box.purpose}-{box.channel}"), word) for box in form.boxes)
        yield from ((("forms", key, "labels", field), word) for field in _labelled(case, key))
    yield from ((("topics", key, part), word) for key in policy.topics for part in ("name", "lead"))
    yield from ((("promises", key, "title"), word) for key in policy.promises)
    yield from ((("banner", part), word) for part in BANNER_WORDS)


def _words(case: Case, locale: Locale) -> Iterator[Problem]:
    tree = case.source.words.get(locale)
    if tree is None:
        place = Place(f"text/{locale}/words.yaml", 1)
        if not any(problem.place.file == place.file for problem in case.source.problems):
            yield fault("file.missing", f"no words in `{locale}`", place, expected="words.yaml", law="GDPR 12(1)")
        return
    if tree.content is None:
        return
    required = list(required_words(case))
    for path, code in required:
        found = _at(tree.content, path)
        if not isinstance(found, str) or not found.strip():
            detail = f"no {'.'.join(path)} in `{locale}`"
            yield fault(code, detail, tree.place(*path), expected="text")
        elif hand := _period_by_hand(locale, found):
            detail = f"the period “{hand}” is typed by hand"
            yield fault(
                "text.number-by-hand", detail, tree.place(*path), expected="words without a period; clocks say it"
            )
    yield from _unknown_words(case, tree, {path for path, _ in required})


def _at(content: Any, path: Sequence[str]) -> Any:
    for step in path:
        content = content.get(step) if isinstance(content, Mapping) else None
    return content


_OPTIONAL_PARTS = {
    "purposes": {"interest", "necessity", "balance", "necessary"},
    "forms": {"consent", "boxes", "labels"},
}


def _labelled(case: Case, key: str) -> list[str]:
    """The fields of a form that some language calls by another name than usual: then every language says which."""
    trees = [tree.content for tree in case.source.words.values()]
    labels = [_at(content, ("forms", key, "labels")) for content in trees]
    asked = [each.field for each in case.policy.forms[key].fields]
    return [field for field in asked if any(isinstance(each, Mapping) and field in each for each in labels)]


def _unknown_parts(tree: Tree, key: str, parts: Mapping[str, Any], required: set[tuple[str, ...]]) -> Iterator[Problem]:
    """Words for a box or field the form does not have."""
    for part in ("boxes", "labels"):
        held = parts.get(part)
        allowed = {path[3] for path in required if path[:3] == ("forms", key, part)}
        for name in held if isinstance(held, Mapping) else ():
            if name not in allowed:
                detail = f"words for `{name}`, which the form `{key}` does not have"
                yield fault("text.unknown-word", detail, tree.place("forms", key, part, name))


def _unknown_words(case: Case, tree: Tree, required: set[tuple[str, ...]]) -> Iterator[Problem]:
    sections = {path[0] for path in required}
    for section, items in tree.content.items():
        if section not in (
            *sections,
            "fields",
            "relations",
            "systems",
            "tags",
            "cookies",
            "forms",
            "topics",
            "clocks",
            "recipients",
        ):
            near = ", ".join(sorted(sections))
            yield fault(
                "text.unknown-word", f"`{section}` is not a section", tree.place(section), expected=f"one of {near}"
            )
            continue
        if not isinstance(items, Mapping):
            yield fault("yaml.not-a-mapping", f"`{section}` holds no keys", tree.place(section))
            continue
        for key, parts in items.items():
            is_known = key in BANNER_WORDS if section == "banner" else case.is_known(section, key)
            if not is_known:
                detail = f"words for `{key}`, which is not declared in {section}"
                yield fault("text.unknown-word", detail, tree.place(section, key))
                continue
            for part in parts if isinstance(parts, Mapping) else ():
                allowed = {path[2] for path in required if path[:2] == (section, key) and len(path) == 3}
                if (
                    part not in allowed | _OPTIONAL_PARTS.get(section, set())
                    and (section, key) not in case.source.set_aside
                ):
                    detail = f"`{part}` is not a word of {section}"
                    expected = f"one of {', '.join(sorted(allowed))}"
                    yield fault("text.unknown-word", detail, tree.place(section, key, part), expected=expected)
            if section == "forms" and isinstance(parts, Mapping) and (section, key) not in case.source.set_aside:
                yield from _unknown_parts(tree, key, parts, required)


# Paragraphs across locales


def _paragraphs(case: Case, locales: Sequence[Locale]) -> Iterator[Problem]:
    order: dict[str, Block] = {}
    for locale in locales:
        seen: dict[str, Block] = {}
        for block in case.source.texts[locale]:
            if block.key in seen:
                first = seen[block.key]
                detail = f"`{block.key}` stands already in {first.file} on line {first.line}"
                yield fault("text.duplicate-block", detail, block.place)
            seen.setdefault(block.key, block)
            order.setdefault(block.key, block)
    for locale in locales:
        own = {block.key: block for block in reversed(case.source.texts[locale])}
        for key, model in order.items():
            if key not in own:
                yield _missing(locale, key, model, order, own)
            elif (set(own[key].promises), set(own[key].markets)) != (set(model.promises), set(model.markets)):
                wanted = " ".join(
                    ["@", key, *model.promises, *(["markets=" + ",".join(model.markets)] if model.markets else [])]
                )
                detail = f"`{key}` is bound otherwise than in {model.file}"
                yield fault("text.bindings-differ", detail, own[key].place, expected=f"`{wanted}`")


def _missing(locale: Locale, key: str, model: Block, order: Mapping[str, Block], own: Mapping[str, Block]) -> Problem:
    """A missing paragraph is placed where it should follow: after the last one before it that this locale has."""
    name = model.file.rpartition("/")[2]
    before = list(order)[: list(order).index(key)]
    anchor = next(
        (own[other] for other in reversed(before) if other in own and own[other].file.endswith(f"/{name}")), None
    )
    place = Place(f"text/{locale}/{name}", anchor.line if anchor else 1, key)
    detail = f"`{key}` is missing in `{locale}`; {model.file} has it on line {model.line}"
    return fault("text.missing-paragraph", detail, place, expected=f"a block `@ {key}`")


def _binding(case: Case, block: Block) -> Iterator[Problem]:
    if not block.promises and not block.is_heading:
        yield fault(
            "text.unbound-paragraph", f"`{block.key}` makes no promise", block.place, expected=f"`@ {block.key} P..`"
        )
    if not block.markdown.strip():
        yield fault("text.bad-block", f"`{block.key}` is empty", block.place, expected="a paragraph")
    for promise in block.promises:
        if not case.is_known("promises", promise):
            detail = f"{promise} is not declared in policy.yaml"
            yield fault("policy.dangling-reference", detail, block.place, expected="a declared promise")
    for market in block.markets:
        if not case.is_known("markets", market):
            detail = f"the market {market} is not declared in policy.yaml"
            yield fault("policy.dangling-reference", detail, block.place, expected="a declared market")


# Numbers

_NOT_PROSE = (
    r"\{\{[^{}]*\}\}",  # values
    r"`[^`]*`",  # code
    r"\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*\)",  # the address of a link, not its words
    r"<[^<>\s]+>",  # autolinks
    r"https?://\S+",
    r"&#?\w+;",
    r"^\s*\d{1,9}[.)](?=\s)",  # the marker of a numbered list
)


def prose(line: str) -> str:
    """A line of Markdown with everything that is not read as prose blanked out, length kept."""
    for pattern in _NOT_PROSE:
        line = re.sub(pattern, lambda found: " " * len(found.group()), line)
    return line


def _numbers(locale: Locale, block: Block) -> Iterator[Problem]:
    fenced = False
    for number, line in enumerate(block.markdown.split("\n"), block.line + 1):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        if fenced:
            continue
        plain = prose(line)
        hand = _period_by_hand(locale, plain) or next(iter(re.findall(r"\w*\d[\w.,:]*", plain)), "")
        if hand:
            place = Place(block.file, number, block.key)
            yield fault(
                "text.number-by-hand", f"“{hand}” is typed by hand", place, expected="a value such as {{clock.<id>}}"
            )


_UNITS = {
    "sv": r"(år|månad|veck|dag|dygn|timm|minut)",
    "nb": r"(år|måned|uke|dag|døgn|time|minutt)",
    "fi": r"(vuo(si|de|tta|ssa|tee)|kuukau|kuussa|viik|viiko|päiv|vuorokau|tun(ti|ni|te)|minuut)",
    "en": r"(year|month|week|day|hour|minute|fortnight)",
}
_NUMBERS = {
    # en dag, one day, is also "some day"; a number word may end a longer one (tjugofyra, twenty-four)
    "sv": r"ett|en(?! dag)|två|tre|fyra|fem|sex|sju|åtta|nio|tio|elva|tolv|\w*ton|arton"
    r"|\w*(?:tjugo|trettio|fyrtio|femtio|sextio|sjuttio|åttio|nittio|hundra)\w*|ett halvt|halvt",
    "nb": r"ett?|én|en(?! dag)|to|tre|fire|fem|seks|sju|syv|åtte|ni|ti|elleve|tolv|\w*ten"
    r"|\w*(?:tjue|tretti|førti|femti|seksti|sytti|åtti|nitti|hundre)\w*|et halvt|halvt",
    "fi": r"yksi|yhtä|(?:yhde|kaksi|kahde|kahta|kolme|neljä|viisi|viide|viittä|kuusi|kuude|kuutta|seitsem"
    r"|kahdeks|yhdeks|kymmen|sata|sada|puole)\w*|puoli",
    "en": r"one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty|forty|fifty"
    r"|sixty|seventy|eighty|ninety|hundred|half a|half",
}


@cache
def _period_pattern(language: str) -> re.Pattern[str]:
    number = rf"(?:\d[\d.,]*|\b(?:{_NUMBERS[language]}))"
    return re.compile(rf"{number}[\s\u00a0-]+(?:kalender|calendar )?{_UNITS[language]}\w*", re.IGNORECASE)


def _period_by_hand(locale: Locale, text: str) -> str:
    """A number, in digits or words, before a unit of time; empty when there is none or the language is unknown."""
    language = locale.partition("-")[0]
    if language not in _UNITS:
        return ""
    found = _period_pattern(language).search(text)
    return found.group() if found else ""


# Values


def _values(case: Case, locale: Locale, block: Block, known: frozenset[str]) -> Iterator[Problem]:
    markets = [key for key, market in case.policy.markets.items() if locale in market.locales and block.is_for(key)]
    held = {market: inline_values(case.policy, market, locale, case.at) for market in markets}
    for use in block.values():
        place = Place(block.file, use.line, block.key)
        if use.name in BLOCK_VALUES:
            if not use.is_alone:
                yield fault("text.table-not-alone", f"`{{{{{use.name}}}}}` stands inside a paragraph", place)
            continue
        lacking = [market for market in markets if use.name not in held[market]]
        if use.name not in known and not _is_set_aside(case, use.name):
            near = difflib.get_close_matches(use.name, sorted(known), 1)
            expected = f"`{{{{{near[0]}}}}}`" if near else "a documented value"
            yield fault("text.unknown-value", f"`{{{{{use.name}}}}}` has no meaning", place, expected=expected)
        elif lacking and use.name in known:
            detail = f"{', '.join(lacking)} has no `{use.name}`"
            yield fault("text.value-not-available", detail, place, expected="a value this market has")
        for market in markets:
            value = held[market].get(use.name)
            if value is not None and not value.is_verified:
                detail = f"{use.name} of {market} is not verified in the law pack"
                yield fault("law.not-verified", detail, place)
    for number, line in enumerate(block.markdown.split("\n"), block.line + 1):
        rest = re.sub(r"\{\{[^{}]*\}\}", "", line)
        if "{{" in rest or "}}" in rest:
            place = Place(block.file, number, block.key)
            yield fault("text.unknown-value", "double braces that do not pair", place, expected="`{{name}}`")


def _is_set_aside(case: Case, name: str) -> bool:
    section, _, rest = name.partition(".")
    return (f"{section}s", rest.partition(".")[0]) in case.source.set_aside or (
        section == "controller" and any(held == "controllers" for held, _ in case.source.set_aside)
    )


def _clocks(case: Case, block: Block) -> Iterator[Problem]:
    """A paragraph that speaks of one inactivity clock while its promise is kept by another says something untrue."""
    clocks = case.policy.clocks
    bindings = [
        bound for key in block.promises if key in case.policy.promises for bound in case.policy.promises[key].controls
    ]
    promised = {key for bound in bindings for key in promised_clocks(bound.parameters) if key in clocks}
    for use in block.values():
        key = use.name.removeprefix("clock.")
        if not use.name.startswith("clock.") or key not in clocks or not promised or key in promised:
            continue
        rival = next((other for other in sorted(promised) if clocks[other].kind is clocks[key].kind), None)
        if rival is not None:
            detail = f"the paragraph says `{key}`, while {' '.join(block.promises)} is kept by `{rival}`"
            place = Place(block.file, use.line, block.key)
            yield fault(
                "promise.contradiction",
                detail,
                place,
                expected=f"`{{{{clock.{rival}}}}}`",
                law="GDPR 5(1)(e), 13(2)(a)",
            )
