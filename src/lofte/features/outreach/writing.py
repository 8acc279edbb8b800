"""What an editor writes, made into the two parts of a letter: HTML that mail programs can show, and plain text for everybody else.

Markdown or HTML goes in. Only text markup, links and pictures from our own addresses come out: a picture from anywhere else would
tell somebody else who opened the letter, and one with anything behind a question mark would tell us. What was left out is named.
"""

import textwrap
from collections.abc import Collection
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Literal
from urllib.parse import urlsplit

import nh3
from django.conf import settings
from markdown_it import MarkdownIt

from lofte.core import publication
from lofte.kernel.problems import Place, Problem

Form = Literal["markdown", "html"]
LONGEST = 60_000  # characters of source; mail programs cut a letter of 100 KB
_TAGS = {
    "p", "h2", "h3", "ul", "ol", "li", "a", "strong", "em", "br", "blockquote", "hr", "code", "pre", "img", "table", "thead",
    "tbody", "tr", "th", "td",
}  # fmt: skip
_SAME = {"h1": "h2", "h4": "h3", "h5": "h3", "h6": "h3", "b": "strong", "i": "em", "div": "p"}
_ATTRIBUTES = {"a": {"href"}, "img": {"src", "alt", "width", "height"}}
_SCHEMES = {"http", "https", "mailto", "tel"}
_WIDTH = 76
_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")


@dataclass(frozen=True, slots=True)
class Written:
    """``left_out`` names what was taken away: ``picture``, ``script``, ``link`` or a tag, each once."""

    html: str
    text: str
    left_out: tuple[str, ...]


def write(source: str, form: Form, hosts: Collection[str]) -> Written:
    """The two parts of a letter. ``hosts`` are our own, from which pictures may come. Raises Problem `outreach.too-long`."""
    if len(source) > LONGEST:
        raise Problem("outreach.too-long", "the letter is too long for mail programs", Place(key="source"), status=422)
    raw = str(_markdown.render(source)) if form == "markdown" else source
    seen = _Seen(frozenset(hosts))
    seen.feed(raw)
    seen.close()
    html = clean(raw, hosts)
    return Written(html, text_of(html), tuple(dict.fromkeys(seen.left_out)))


def clean(html: str, hosts: Collection[str]) -> str:
    """HTML with nothing but text markup, safe links and pictures of our own."""
    ours = frozenset(hosts)

    def kept(tag: str, attribute: str, value: str) -> str | None:
        if (tag, attribute) == ("a", "href"):
            return value if _scheme(value) in _SCHEMES else None
        return value if attribute != "src" or is_ours(value, ours) else None

    prepared = _Prepared(ours)
    prepared.feed(html)
    prepared.close()
    cleaned = nh3.clean(
        "".join(prepared.parts), tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES, attribute_filter=kept, link_rel=None,
        clean_content_tags={"script", "style", "title", "head"},
        set_tag_attribute_values={"img": {"style": "max-width:100%;height:auto"}},
    )  # fmt: skip
    return str(cleaned).strip()


def own_hosts() -> frozenset[str]:
    """Where our own pictures may come from: this house and the market's sites."""
    markets = publication.current().policy.markets.values()
    return frozenset({urlsplit(settings.LOFTE_ORIGIN).netloc, *(host for each in markets for host in each.domains)})


def is_ours(address: str, hosts: Collection[str]) -> bool:
    """Whether a picture comes from us and says nothing about who looks at it."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    is_plain = not parts.query and not parts.fragment and parts.username is None
    return parts.scheme in ("http", "https") and parts.netloc.lower() in hosts and is_plain


def links_of(html: str) -> list[str]:
    """Every web address the letter links to, in order, each once."""
    found = _Links()
    found.feed(html)
    found.close()
    return list(dict.fromkeys(found.addresses))


def text_of(html: str) -> str:
    """The plain-text part: paragraphs, lists and quotations as people type them, with each link's address behind its words."""
    reader = _Text()
    reader.feed(html)
    reader.close()
    return reader.finished()


def _scheme(address: str) -> str:
    try:
        return urlsplit(address).scheme
    except ValueError:
        return ""


class _Prepared(HTMLParser):
    """Writes what it reads, tags that mean the same as one we keep under that name, and without the pictures of others.

    What comes out is not safe yet: cleaning follows.
    """

    def __init__(self, hosts: frozenset[str]) -> None:
        super().__init__(convert_charrefs=False)
        self._hosts = hosts
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img" and not is_ours(dict(attrs).get("src") or "", self._hosts):
            return
        said = self.get_starttag_text() or ""
        self.parts.append(said.replace(said[1 : 1 + len(tag)], _SAME[tag], 1) if tag in _SAME else said)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self.parts.append(f"</{_SAME.get(tag, tag)}>")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def handle_entityref(self, name: str) -> None:
        self.parts.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.parts.append(f"&#{name};")


class _Seen(HTMLParser):
    """Notices what the cleaning will take away."""

    def __init__(self, hosts: frozenset[str]) -> None:
        super().__init__()
        self._hosts = hosts
        self.left_out: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "img":
            self.left_out += [] if is_ours(said.get("src", ""), self._hosts) else ["picture"]
        elif tag == "a":
            href = said.get("href", "")
            self.left_out += [] if _scheme(href) in _SCHEMES else ["link"]
        elif tag in ("script", "style"):
            self.left_out.append("script")
        elif tag not in _TAGS and tag not in _SAME and tag not in ("span", "html", "head", "body", "meta", "title"):
            self.left_out.append(tag)
        if any(name.startswith("on") for name in said):
            self.left_out.append("script")


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href") or ""
        if tag == "a" and _scheme(href) in ("http", "https"):
            self.addresses.append(href)


@dataclass(slots=True)
class _List:
    is_ordered: bool
    number: int = 0


@dataclass(slots=True)
class _Block:
    """One paragraph under way: its words, how its first line begins and how the next ones do."""

    first: str = ""
    rest: str = ""
    words: list[str] = field(default_factory=list)
    line: str = ""
    is_plain: bool = False


class _Text(HTMLParser):
    """Writes cleaned HTML as plain text."""

    def __init__(self) -> None:
        super().__init__()
        self._blocks: list[tuple[str, int]] = []  # with the number of the outermost list it is an item of
        self._now = _Block()
        self._lists: list[_List] = []
        self._lists_begun = 0
        self._quotes = 0
        self._href = ""
        self._said = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        match tag:
            case "p" | "h2" | "h3" | "table" | "tr":
                self._end()
                self._now.line = {"h2": "=", "h3": "-"}.get(tag, "")
            case "pre":
                self._end()
                self._now.is_plain = True
            case "ul" | "ol":
                self._end()
                self._lists_begun += not self._lists
                self._lists.append(_List(tag == "ol"))
            case "li":
                self._end()
                self._begin_item()
            case "blockquote":
                self._end()
                self._quotes += 1
            case "hr":
                self._end()
                self._blocks.append(("-" * 20, 0))
            case "br":
                self._now.words.append("\n")
            case "td" | "th":
                self._now.words.append("  " if self._now.words else "")
            case "a":
                self._href, self._said = said.get("href", ""), ""
            case "img" if said.get("alt"):
                self._now.words.append(f"[{said['alt']}]")

    def handle_endtag(self, tag: str) -> None:
        match tag:
            case "p" | "h2" | "h3" | "pre" | "li" | "tr" | "table":
                self._end()
            case "ul" | "ol":
                self._end()
                if self._lists:
                    self._lists.pop()
            case "blockquote":
                self._end()
                self._quotes = max(0, self._quotes - 1)
            case "a":
                address = self._href.removeprefix("mailto:").removeprefix("tel:")
                if address and " ".join(self._said.split()) != address:
                    self._now.words.append(f" <{address}>")
                self._href = ""

    def handle_data(self, data: str) -> None:
        if self._href:
            self._said += data
        self._now.words.append(data if self._now.is_plain else data.replace("\n", " "))

    def _begin_item(self) -> None:
        if not self._lists:
            return
        inside = self._lists[-1]
        inside.number += 1
        mark = f"{inside.number}. " if inside.is_ordered else "- "
        indent = "  " * (len(self._lists) - 1)
        self._now.first, self._now.rest = indent + mark, indent + " " * len(mark)

    def _end(self) -> None:
        """Finish the paragraph under way; what stands in a list keeps the indent of its item."""
        now, self._now = self._now, _Block()
        said = "".join(now.words)
        if not said.strip():
            self._now.first, self._now.rest = now.first, now.rest
            return
        quote = "> " * self._quotes
        plain = [quote + each for each in said.strip("\n").splitlines()]
        lines = plain if now.is_plain else self._wrapped(said, quote, now)
        if now.line:
            lines.append(now.line * min(_WIDTH, len(lines[-1])))
        self._blocks.append(("\n".join(lines), self._lists_begun if self._lists else 0))

    @staticmethod
    def _wrapped(said: str, quote: str, now: _Block) -> list[str]:
        lines: list[str] = []
        for part in said.split("\n"):
            first = now.rest if lines else now.first
            lines += textwrap.wrap(
                " ".join(part.split()), _WIDTH, initial_indent=quote + first, subsequent_indent=quote + now.rest,
                break_long_words=False, break_on_hyphens=False,
            ) or [(quote + first).rstrip()]  # fmt: skip
        return lines

    def finished(self) -> str:
        self._end()
        said, before = "", 0
        for block, inside in self._blocks:  # items of a list stand close together; all else has an empty line before it
            said += ("" if not said else "\n" if inside and inside == before else "\n\n") + block
            before = inside
        return said
