"""Finds names of people in running text, so that somebody else's can be taken out of a copy (GDPR 15(4)). Pure and deterministic.

What is a name is said by whoever asks (`known`: parts of names in the register), by a list of common given names, and by where a
word stands: after a title, in the head or at the foot of a letter, beside an address. A word at the beginning of a sentence
needs more to be taken for a name than one in the middle of it. Inflected forms are led back: Olas, John's, Virtaselle.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import StringIO
from itertools import pairwise

from ruamel.yaml import YAML

from lofte.rules.detectors import Span

KIND = "name"
_SHORTEST = 2
_LETTERS = str.maketrans(
    {"ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "đ": "d", "Đ": "D", "ł": "l", "Ł": "L", "þ": "th", "Þ": "Th", "ð": "d"}
)
_WORD = re.compile(r"[^\W\d_]+(?:[-'’\u02bc][^\W\d_]+)*")
_JOIN = re.compile(r"[ \u00a0]+(?:[^\W\d_]\.[ \u00a0]?)*")  # a space, with initials: Ola N. Hansen
_SENTENCE_ENDS = '.!?:;…•*\n\r"“”«»(['
_HEADER = re.compile(r"^[ \t>]*([^\W\d_]{2,16})[ \t]*:", re.MULTILINE)
_SURNAME = re.compile(
    r"(?:s[eo]n|nen|berg|strom|lund|gren|qvist|quist|kvist|dahl|stad|rud|haug|haugen|vold|holm|blom|back|mann|dottir|bakken|moen|lien)$"
)
_TITLED = re.compile(r"\.?[ \u00a0]")
_BESIDE = re.compile(r"[ \u00a0]?[<(,:]{1,2}[ \u00a0]?")
_FINNISH_ENDINGS = (
    "lle", "lta", "lla", "ssa", "sta", "ksi", "nsa", "kin", "han", "na", "ta", "tta", "n", "a", "ko", "t", "in", "en", "ia",
)  # fmt: skip
_DOUBLE = "kpt"


def fold(text: str) -> str:
    """Without case, accents and apostrophes, as people search."""
    plain = re.sub(r"[\u0027\u2019\u02bc`´]", "", unicodedata.normalize("NFKD", text.translate(_LETTERS)).casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).translate(_LETTERS)


@dataclass(frozen=True, slots=True)
class _Word:
    """``forms``: what it may be a form of, folded, the word itself first. ``leads`` where any word would have a capital."""

    start: int
    end: int
    forms: tuple[str, ...]
    is_capital: bool
    leads: bool

    @property
    def plain(self) -> str:
        return self.forms[0]


def candidates(text: str, locale: str = "") -> frozenset[str]:
    """Every form that could be part of a name: what to ask the register about."""
    words = _words(text, (), locale)
    asked = {form for each in words if each.is_capital for form in each.forms}
    for first, second in pairwise(words):
        if not first.is_capital and first.plain in _list("given"):
            asked.add(second.plain)
    return frozenset(form for form in asked if len(form) >= _SHORTEST)


def find(
    text: str,
    own: frozenset[str],
    known: frozenset[str],
    *,
    others: Sequence[Span] = (),
    houses: Iterable[str] = (),
    locale: str = "",
) -> list[Span]:
    """Where names of somebody else stand. ``own`` are the folded parts of the person's own names, ``known`` those of others.

    ``others`` is what was found already (addresses, numbers); ``houses`` are names of companies, which are nobody's.
    """
    places = [match.span() for house in houses if house for match in re.finditer(re.escape(house), text, re.IGNORECASE)]
    words = [
        each
        for each in _words(text, others, locale)
        if not any(start <= each.start and each.end <= end for start, end in places)
    ]
    cued = set(_cued(text, words, others))
    found = []
    for run in _runs(text, words):
        span = _judged(run, own, known, cued)
        found += [Span(KIND, span[0].start, span[-1].end)] if span else []
    found += _in_small_letters(text, words, own, known)
    return sorted(found, key=lambda each: each.start)


# --- words ----------------------------------------------------------------------------------------------------------


def _words(text: str, taken: Sequence[Span], locale: str) -> list[_Word]:
    found = []
    for match in _WORD.finditer(text):
        start, end = match.span()
        if any(start < each.end and each.start < end for each in taken):
            continue
        before, after = text[max(start - 1, 0) : start], text[end : end + 2]
        if before in (*"@/\\",) or after[:1] == "@" or (before == "." and after[:1] == "." and after[1:].isalnum()):
            continue  # part of an address
        if end - start == 1 and text[end : end + 1] == ".":
            continue  # an initial stands between two words, not by itself
        found.append(_Word(start, end, _forms(match.group(), locale), match.group()[0].isupper(), _leads(text, start)))
    return found


def _leads(text: str, start: int) -> bool:
    at = start - 1
    while at >= 0 and text[at] in " \t\u00a0":
        at -= 1
    return at < 0 or text[at] in _SENTENCE_ENDS or text[max(at - 1, 0) : at + 1] in ("\n-", "\n–", " -", " –")


def _forms(word: str, locale: str) -> tuple[str, ...]:
    """The word and what it may be an inflected form of; the parts of a hyphenated one by themselves. Finnish inflects most."""
    found: dict[str, None] = {}
    for part in word.split("-"):
        bare = re.sub(r"['’\u02bc]s?$", "", part)
        plain = fold(bare)
        if not plain:
            continue
        found[plain] = None
        if len(plain) > 3 and plain.endswith("s"):
            found[plain[:-1]] = None
        for ending in _FINNISH_ENDINGS if locale == "fi" else ():
            stem = plain.removesuffix(ending)
            if stem != plain and len(stem) >= 3:
                found |= dict.fromkeys(_finnish(stem))
    return tuple(found) or (fold(word) or word,)


def _finnish(stem: str) -> Iterator[str]:
    """Stems back to the name itself: Virtase- and Virtas- are Virtanen, Mati- is Matti, Peka- is Pekka."""
    yield stem
    if stem.endswith("se"):
        yield f"{stem[:-2]}nen"
    if stem.endswith("s"):
        yield f"{stem[:-1]}nen"
    if len(stem) > 3 and stem[-2] in _DOUBLE and stem[-3] not in _DOUBLE:
        yield f"{stem[:-1]}{stem[-2]}{stem[-1]}"


@cache
def _data() -> dict[str, frozenset[str]]:
    said = YAML(typ="safe", pure=True).load(StringIO((files("lofte.rules") / "names.yaml").read_text(encoding="utf-8")))
    given = " ".join(said.pop("given").values())
    return {name: frozenset(words.split()) for name, words in {**said, "given": given}.items()}


def _list(name: str) -> frozenset[str]:
    return _data()[name]


def _is_given(word: _Word) -> bool:
    return not _list("given").isdisjoint(word.forms)


# --- runs -----------------------------------------------------------------------------------------------------------


def _runs(text: str, words: Sequence[_Word]) -> Iterator[list[_Word]]:
    """Words with a capital that stand together, particles between them included."""
    run: list[_Word] = []
    waiting: list[_Word] = []
    for each in words:
        before = [*run[-1:], *waiting[-1:]]
        together = bool(before) and _JOIN.fullmatch(text[before[-1].end : each.start]) is not None
        if run and together and each.is_capital:
            run += [*waiting, each]
            waiting = []
        elif run and together and each.plain in _list("particles"):
            waiting.append(each)
        else:
            yield from [run] if run else []
            run, waiting = ([each] if each.is_capital else []), []
    yield from [run] if run else []


def _judged(run: list[_Word], own: frozenset[str], known: frozenset[str], cued: set[_Word]) -> list[_Word]:
    """The words of the run that are somebody else's name; empty when none are."""
    if run[-1].plain in _list("forms") or (len(run) > 1 and run[-2].plain in _list("forms")):
        return []
    title = max((at for at, each in enumerate(run[:-1]) if each.plain in _list("titles")), default=-1)
    run = run[title + 1 :]
    strange = [each for each in run if not _is(each, own)]
    named = [each for each in strange if _is_given(each) or _is(each, known)]
    by_itself = [each for each in named if _stands_alone(each)]
    is_pair = len(run) > 1 and len(named) > 1 and any(each.plain not in _list("capitals") for each in named)
    is_cued = any(each in cued for each in strange)
    told = [each for each in strange if is_cued and each.plain not in _list("capitals")]
    if not (by_itself or is_pair or told):
        return []
    sure = set(named) | set(told) | {each for each in run if _is(each, own)}
    first = next(at for at, each in enumerate(run) if each in sure)
    if run[first].leads and run[first].plain in _list("words") - _list("given") and run[first + 1 :]:
        first += 1  # Ring Ola
    last = max(at for at, each in enumerate(run) if each in sure)
    # A surname nobody here has, after a given name.
    after = last + 1
    if after < len(run) and run[after].plain not in _list("capitals") and _is_given(run[last]):
        last = after
    return run[first : last + 1]


def _is(word: _Word, among: frozenset[str]) -> bool:
    return not among.isdisjoint(word.forms)


def _stands_alone(word: _Word) -> bool:
    if word.plain in _list("capitals") or len(word.plain) < _SHORTEST:
        return False
    if not word.leads:
        return True
    if word.plain in _list("words"):
        return False
    return word.plain in _list("given") or any(_SURNAME.search(form) for form in word.forms) or _is_genitive(word)


def _is_genitive(word: _Word) -> bool:
    """Annas, John's: the given name it is a form of is no word."""
    return any(form in _list("given") and form not in _list("words") for form in word.forms[1:])


def _cued(text: str, words: Sequence[_Word], others: Sequence[Span]) -> Iterator[_Word]:
    """Names whoever they are: after a title, in the head of a letter, at its foot, beside an address."""
    heads = [
        (match.end(), len(text) if (end := text.find("\n", match.end())) < 0 else end)
        for match in _HEADER.finditer(text)
        if fold(match[1]) in _list("headers")
    ]
    feet = [place for each in words if each.plain in _list("closings") if (place := _foot(text, each.end))]
    mails = [each.start for each in others if each.kind == "email"]
    for number, each in enumerate(words):
        if not each.is_capital:
            continue
        before = words[number - 1] if number else None
        is_titled = (
            before is not None and before.plain in _list("titles") and _TITLED.fullmatch(text[before.end : each.start])
        )
        is_framed = any(start <= each.start and each.end <= end for start, end in (*heads, *feet))
        is_beside = any(0 < at - each.end < 4 and _BESIDE.fullmatch(text[each.end : at]) for at in mails)
        if is_titled or is_framed or is_beside:
            yield each


def _foot(text: str, at: int) -> tuple[int, int] | None:
    """The line after the last words of a letter, or what is left of theirs: at most four words."""
    match = re.compile(r"[ \t,.!]*\n?[ \t]*([^\n,.;:!?]{2,60})").match(text, at)
    return match.span(1) if match and len(match[1].split()) <= 4 else None


def _in_small_letters(text: str, words: Sequence[_Word], own: frozenset[str], known: frozenset[str]) -> Iterator[Span]:
    """A given name and a surname of the register side by side, as people write in a chat."""
    for first, second in pairwise(words):
        if first.is_capital or second.is_capital or not _JOIN.fullmatch(text[first.end : second.start]):
            continue
        ordinary = _list("words") | _list("capitals")
        is_name = first.plain in _list("given") and second.plain in known and second.plain not in ordinary | own
        if is_name and (first.plain not in ordinary or _SURNAME.search(second.plain)):
            yield Span(KIND, first.start, second.end)
