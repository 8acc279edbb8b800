"""The policy page: the text, and beside each paragraph the promises it makes, with a slot for today's verdict.

Slots: ``<!--lofte:verdict:P15-->``, only where the policy lets everyone see verdicts.
"""

import re
from collections.abc import Iterator
from html import escape, unescape

from lofte.rules.model import Audience
from lofte.rules.pages.edition import Edition
from lofte.rules.pages.layout import page
from lofte.rules.pages.prose import prose_html
from lofte.rules.pages.tables import draw
from lofte.rules.published import Paragraph

_HEADING = re.compile(r"<h([1-6])>(.*?)</h\1>", re.DOTALL)

_ACTIONS = {
    # what a person can do about a promise, by the control that keeps it
    "legitimate_interest_balanced": "object",
    "portal_gives_access": "portal",
    "erasure_complete": "portal",
    "export_machine_readable": "portal",
    "nothing_before_consent": "choices",
    "cookie_list_current": "cookies",
}


def policy_page(edition: Edition) -> bytes:
    """The policy of one market in one language."""
    blocks = [(paragraph, _html(edition, paragraph)) for paragraph in edition.paragraphs()]
    title = next((plain(found.group(2)) for _, html in blocks if (found := _HEADING.search(html))), "")
    title = title or edition.say("nav.policy")
    updated = edition.say("updated", month=edition.values["last_updated"].text)
    said: set[str] = set()
    sections = [_section(edition, paragraph, html, said) for paragraph, html in blocks]
    if blocks and _level(blocks[0][1]) == 1:
        sections.insert(1, f'<p class="fine updated">{updated}</p>')
    else:
        sections.insert(0, f'<h1>{escape(title)}</h1><p class="fine updated">{updated}</p>')
    body = f'{_contents(edition, blocks)}\n<article class="text">\n{"".join(sections)}</article>'
    return page(edition, "policy", title, body)


def _html(edition: Edition, paragraph: Paragraph) -> str:
    return prose_html(paragraph.markdown, edition.values, lambda name: draw(edition, name))


def _level(html: str) -> int:
    found = _HEADING.match(html)
    return int(found.group(1)) if found else 0


def plain(html: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", html)).strip()


def _contents(edition: Edition, blocks: list[tuple[Paragraph, str]]) -> str:
    """The second-level headings, as a list beside the text; folded away on a narrow screen."""
    items = "".join(
        f'<li><a href="#{paragraph.key}">{found.group(2)}</a></li>'
        for paragraph, html in blocks
        if (found := _HEADING.match(html)) and found.group(1) == "2"
    )
    if not items:
        return ""
    label = edition.say("nav.contents")
    folded = f"<details open><summary>{label}</summary><ol>{items}</ol></details>"
    return f'<nav class="contents" aria-label="{label}">{folded}</nav>'


def _section(edition: Edition, paragraph: Paragraph, html: str, said: set[str]) -> str:
    wide = " wide" if 'class="table' in html or 'class="cookie-list' in html or 'class="tests' in html else ""
    if not paragraph.promises:
        return f'<div class="head" id="{paragraph.key}">{html}</div>\n'
    return (
        f'<section class="block{wide}" id="{paragraph.key}"><div class="said">{html}</div>'
        f"{_promises(edition, paragraph, said)}</section>\n"
    )


def _promises(edition: Edition, paragraph: Paragraph, said: set[str]) -> str:
    items = "".join(_promise(edition, key, key in said) for key in paragraph.promises)
    said.update(paragraph.promises)
    return f'<aside class="promises" aria-label="{edition.say("promises.label")}"><ul>{items}</ul></aside>'


def _promise(edition: Edition, key: str, is_again: bool) -> str:
    """A promise in full where it is first made; after that its number, verdict and the way back."""
    shows = edition.policy.verdicts_visible_to is Audience.PUBLIC
    verdict = f"<!--lofte:verdict:{key}-->" if shows else ""
    title = edition.word("promises", key, "title")
    if is_again:
        return f'<li class="again"><a class="pid" href="#{key}" title="{title}">{key}</a> {verdict}</li>'
    actions = "".join(_action(edition, name) for name in _actions(edition, key))
    return f'<li id="{key}"><p><span class="pid">{key}</span> {title}</p>{verdict}{actions}</li>'


def _actions(edition: Edition, key: str) -> Iterator[str]:
    controls = (binding.control for binding in edition.policy.promises[key].controls)
    yield from dict.fromkeys(_ACTIONS[control] for control in controls if control in _ACTIONS)


def _action(edition: Edition, name: str) -> str:
    href = {
        "object": edition.portal,
        "portal": edition.portal,
        "choices": edition.path("preferences"),
        "cookies": edition.path("cookies"),
    }[name]
    return f'<a class="act" href="{href}">{edition.say(f"promises.{name}")}</a>'
