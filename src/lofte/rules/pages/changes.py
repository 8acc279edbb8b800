"""What changed since the version before, for a reader: the paragraphs word by word, then the declarations."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from html import escape

from lofte.rules.diff import Asked, Change, Difference, ParagraphChange, Told
from lofte.rules.pages.edition import Edition
from lofte.rules.pages.layout import page
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
    paragraphs = [_paragraph(edition, item) for item in difference.paragraphs if item.locale == edition.locale]
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


def _paragraph(edition: Edition, item: ParagraphChange) -> str:
    kind = f'<p class="fine">{edition.say(f"changes.{item.kind}")}</p>'
    before, after = _readable(edition, item.before), _readable(edition, item.after)
    if item.kind == "added":
        return f'<div class="change">{kind}<p><ins>{escape(after)}</ins></p></div>'
    if item.kind == "removed":
        return f'<div class="change">{kind}<p><del>{escape(before)}</del></p></div>'
    return f'<div class="change">{kind}<p>{words_between(before, after)}</p></div>'


def words_between(before: str, after: str) -> str:
    """Both texts in one, word by word, what went in `del` and what came in `ins`."""
    old, new = re.findall(r"\S+\s*", before), re.findall(r"\S+\s*", after)
    pieces = []
    for operation, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        gone, come = escape("".join(old[a:b])), escape("".join(new[c:d]))
        if operation == "equal":
            pieces.append(come)
        else:
            pieces += [f"<del>{gone}</del> " if gone else "", f"<ins>{come}</ins> " if come else ""]
    return "".join(pieces).replace("\n", "<br>")


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
    return f'<span class="fine">{edition.say(f"changes.{change.kind}")}:</span> {name}'


def _name(published: Published, edition: Edition, change: Change) -> str:
    item = getattr(published.policy, change.section).get(change.key)
    own = getattr(item, "name", "") if item is not None else ""
    words = published.words.get(edition.locale, {}).get(change.section, {}).get(change.key)
    said = words.get(_TITLES.get(change.section, "name"), "") if isinstance(words, dict) else ""
    label = change.key if change.section == "promises" else ""
    return ": ".join(dict.fromkeys(filter(None, (label, own, said)))) or change.key
