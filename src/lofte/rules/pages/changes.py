"""What changed since the version before, for a reader: the paragraphs word by word, then the declarations."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from html import escape, unescape

from lofte.rules.diff import Asked, Change, Difference, Told
from lofte.rules.pages.edition import Edition
from lofte.rules.pages.layout import page
from lofte.rules.pages.tables import kept_words
from lofte.rules.published import Published

_SHOWN = ("promises", "purposes", "clocks", "recipients", "tags", "cookies", "forms", "controllers")
_TITLES = {
    # the part of the words that names a thing to a reader; `name` otherwise
    "promises": "title",
    "recipients": "why",
    "tags": "why",
    "cookies": "function",
}


def changes_page(edition: Edition, difference: Difference | None, previous: Published | None) -> bytes:
    """``difference`` is None for the first version."""
    title = edition.say("changes.title")
    inside = "".join(_parts(edition, difference, previous)) if difference else ""
    if difference is None:
        inside = f"<p>{edition.say('changes.first')}</p>"
    elif not inside:
        inside = f"<p>{edition.say('changes.none')}</p>"
    lead = ""
    if difference is not None:
        said = edition.say("changes.lead", old=difference.old_version, new=difference.new_version)
        lead = f'<p class="lead">{said}</p>'
    versions = f'<p><a href="{edition.path("policy")}versions/">{edition.say("nav.versions")}</a></p>'
    return page(edition, "changes", title, f'<article class="text"><h1>{title}</h1>{lead}{inside}{versions}</article>')


def _parts(edition: Edition, difference: Difference, previous: Published | None) -> Iterator[str]:
    told = [_told(edition, item) for item in difference.told]
    if told:
        yield f"<h2>{edition.say('changes.told')}</h2><ul>{_items(told)}</ul>"
    asked = [_asked(edition, item) for item in difference.asked if (edition.market_id, edition.locale) in item.editions]
    if asked:
        yield f"<h2>{edition.say('changes.asked')}</h2><ul>{_items(asked)}</ul>"
    paragraphs = list(_paragraphs(edition, _before(edition, previous)))
    if paragraphs:
        yield f"<h2>{edition.say('changes.paragraphs')}</h2>{''.join(paragraphs)}"
    for section in _SHOWN:
        changes = [item for item in difference.changes if item.section == section]
        lines = list(filter(None, (_change(edition, item, previous) for item in changes)))
        if lines:
            yield f"<h2>{edition.say(f'changes.{section}')}</h2><ul>{_items(lines)}</ul>"


def _items(lines: list[str]) -> str:
    return "".join(f"<li>{line}</li>" for line in dict.fromkeys(lines))


def _told(edition: Edition, item: Told) -> str:
    if item.who == "holders":
        name = edition.published.word(edition.locale, "purposes", item.purpose, "name")
        return edition.say("changes.holders", purpose=name)
    return edition.say(f"changes.{item.who}")


def _asked(edition: Edition, item: Asked) -> str:
    return edition.word("purposes", item.purpose, "name")


def _before(edition: Edition, previous: Published | None) -> Edition | None:
    """The same edition of the version before, if there was one."""
    market = previous.policy.markets.get(edition.market_id) if previous else None
    if previous is None or market is None or edition.locale not in market.locales:
        return None
    return Edition(previous, edition.market_id, edition.locale, edition.at)


def _paragraphs(edition: Edition, before: Edition | None) -> Iterator[str]:
    """What reads differently here, values included: a changed period shows in the sentence that says it."""
    old = {item.key: _readable(before, item.markdown) for item in before.paragraphs()} if before else {}
    new = {item.key: _readable(edition, item.markdown) for item in edition.paragraphs()}
    for key in [*new, *(key for key in old if key not in new)]:
        was, now = old.get(key, ""), new.get(key, "")
        if was != now:
            kind = "changed" if was and now else "added" if now else "removed"
            said = f'<p class="fine">{edition.say(f"changes.{kind}")}</p>'
            yield f'<div class="change">{said}<p>{words_between(was, now)}</p></div>'


def words_between(before: str, after: str) -> str:
    """Both texts in one, word by word, what went in `del` and what came in `ins`."""
    old, new = re.findall(r"\S+\s*", before), re.findall(r"\S+\s*", after)
    pieces = []
    for operation, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        gone, come = escape("".join(old[a:b])), escape("".join(new[c:d]))
        if operation == "equal":
            pieces.append(come)
        else:
            pieces += [f"<del>{gone.strip()}</del> " if gone else "", f"<ins>{come.strip()}</ins> " if come else ""]
    return "".join(pieces).strip().replace("\n", "<br>")


def _readable(edition: Edition, markdown: str) -> str:
    """Markdown as a reader sees it: values filled in where this edition has them, marks and addresses left out."""

    def value(found: re.Match[str]) -> str:
        known = edition.values.get(found.group(1))
        return known.text if known else "[…]"

    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    text = re.sub(r"\{\{\s*([^{}]*?)\s*\}\}", value, text)
    return re.sub(r"^#+\s*|\*\*|`", "", text, flags=re.MULTILINE).strip()


def _change(edition: Edition, change: Change, previous: Published | None) -> str:
    """One line; a change only in another language's words is not this reader's."""
    parts = [
        part for part in change.parts if not part.name.startswith("words.") or part.name == f"words.{edition.locale}"
    ]
    if change.kind == "changed" and not parts:
        return ""
    held = previous if change.kind == "removed" else edition.published
    name = escape(_name(held or edition.published, edition, change))
    before = _before(edition, previous)
    if change.section == "clocks" and change.kind == "changed" and before is not None:
        name = words_between(*(unescape(kept_words(each, change.key)) for each in (before, edition)))
    return f'<span class="fine">{edition.say(f"changes.{change.kind}")}:</span> {name}'


def _name(published: Published, edition: Edition, change: Change) -> str:
    item = getattr(published.policy, change.section).get(change.key)
    own = getattr(item, "name", "") if item is not None else ""
    words = published.words.get(edition.locale, {}).get(change.section, {}).get(change.key)
    said = words.get(_TITLES.get(change.section, "name"), "") if isinstance(words, dict) else ""
    label = change.key if change.section == "promises" else ""
    return ": ".join(dict.fromkeys(filter(None, (label, own, said)))) or change.key
