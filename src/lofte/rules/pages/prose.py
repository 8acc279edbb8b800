"""A paragraph of the policy as safe HTML: values filled in, Markdown rendered, markup cleaned.

Values never pass through Markdown: they are set in afterwards, escaped, so that no name or number can become markup.
"""

import re
from collections.abc import Callable, Mapping
from html import escape

import nh3
from markdown_it import MarkdownIt

from lofte.rules.values import Value

_MARKDOWN = MarkdownIt("commonmark", {"html": False})
_TAGS = {
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "p",
    "ul",
    "ol",
    "li",
    "a",
    "strong",
    "em",
    "code",
    "pre",
    "blockquote",
    "hr",
    "br",
}
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto", "tel"}
_VALUE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_IN_ADDRESS = re.compile(r"\]\([^()\s]*$")
_OPEN, _CLOSE = (
    "\ue000",
    "\ue001",
)  # private use: a policy text holds no such characters, and Markdown leaves them alone
_HELD = re.compile(f"{_OPEN}(\\d+){_CLOSE}")

Table = Callable[[str], str]


def prose_html(markdown: str, values: Mapping[str, Value], table: Table) -> str:
    """The HTML of one block. ``table`` draws a value that stands alone on its line, such as ``table.cookies``.

    Raises KeyError on a value nobody has: `check` runs before anything is rendered.
    """
    held: list[str] = []

    def hold(html: str) -> str:
        held.append(html)
        return f"{_OPEN}{len(held) - 1}{_CLOSE}"

    def put(found: re.Match[str]) -> str:
        name = found.group(1)
        before, after = found.string[: found.start()], found.string[found.end() :]
        if _IN_ADDRESS.search(before.rpartition("\n")[2]):
            return _address(values[name])
        if name not in values:
            return hold(table(name))
        return hold(_value_html(values[name], _is_in_link(before, after)))

    marked = _VALUE.sub(put, markdown.translate({ord(_OPEN): None, ord(_CLOSE): None}))
    html = nh3.clean(
        _MARKDOWN.render(marked),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer",
    )
    html = re.sub(rf"<p>\s*({_OPEN}\d+{_CLOSE})\s*</p>", lambda found: _unwrapped(found.group(1), held), html)
    return _HELD.sub(lambda found: held[int(found.group(1))], html).strip()


def _unwrapped(mark: str, held: list[str]) -> str:
    """A table alone in a paragraph loses the paragraph; a sentence-long value keeps it."""
    found = _HELD.fullmatch(mark)
    is_block = found is not None and held[int(found.group(1))].startswith(("<table", "<div", "<dl", "<p", "<section"))
    return mark if is_block else f"<p>{mark}</p>"


def _value_html(value: Value, in_link: bool) -> str:
    text = escape(value.text)
    if not value.href or in_link:
        return text
    rel = ' rel="noopener noreferrer"' if value.href.startswith("http") else ""
    shown = re.sub(r"^https?://", "", text)
    return f'<a href="{escape(value.href)}"{rel}>{shown}</a>'


def _address(value: Value) -> str:
    """A value as the target of a link the author wrote; what would end the target is percent-encoded."""
    target = value.href or value.text
    target = target.removeprefix("mailto:") if target.startswith("mailto:") else target
    return re.sub(r"[\s()<>\\]", lambda found: f"%{ord(found.group()):02X}", target)


def _is_in_link(before: str, after: str) -> bool:
    """Whether a place in Markdown lies between the brackets of a link."""
    line_before, line_after = before.rpartition("\n")[2], after.partition("\n")[0]
    opened = line_before.rfind("[") > line_before.rfind("]")
    return opened and re.match(r"[^\[\]]*\]\(", line_after) is not None
