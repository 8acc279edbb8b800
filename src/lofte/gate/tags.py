"""Finds the tags of an HTML document that can load something, with their byte offsets, and skips the rest in C.

Follows the tokenizer of the WHATWG HTML standard (13.2.5) on bytes of any ASCII-compatible encoding: quoted and
unquoted attribute values, comments and their odd endings, raw-text elements, script data with its escaped states.
It builds no tree. Where a tree would decide how to read on (SVG and MathML beyond plain drawings, raw text in a select,
framesets), it stops trusting contexts and reads every `<name` to the end of the page as a tag: it may then hold too much.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

# Before 3.11.5 CPython forgets where a possessive or atomic group began when it fails half way (gh-106052), and Debian 12 has
# 3.11.2. So only single classes are repeated possessively here; what is more is taken whole by looking ahead and back (`_whole`).


def _whole(name: bytes, pattern: bytes) -> bytes:
    """An atomic group: what the pattern matches first, or nothing; never less of it."""
    return (
        rb"(?=(?P<" + name + rb">" + pattern + rb"))(?-i:(?P=" + name + rb"))"
    )  # without case, comparing takes twice as long


_S = rb"[\t\n\f\r ]"
_GAP = rb"[\t\n\f\r /]*+"
_NAME = rb"[^\t\n\f\r />][^\t\n\f\r />=]*+"
_VALUE = (
    rb"(?:" + _S + rb"*+=" + _S + rb"""*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|(?=>)|[^\t\n\f\r >"'][^\t\n\f\r >]*+))?"""
)
_END_OF_NAME = rb"(?=[\t\n\f\r />])"

# Elements that load, switch the tokenizer, or mark where the gate inserts.
_TELLING = (
    rb"(?:script|style|link|iframe|meta|base|noscript|body|head|html|textarea|title|xmp|noembed|noframes|plaintext|svg|math"
    rb"|object|embed|applet|image|use|feimage|frameset|select)" + _END_OF_NAME
)
# Attributes that load, whatever the element; those whose quoted value is plainly relative, or a style that names no
# address, are passed over in C.
_LOADING = (
    rb"(?:src|poster|background)(?=[\t\n\f\r />=])(?!=(?:\"(?!//)[^\"&\\:\x00-\x20]*+\"|'(?!//)[^'&\\:\x00-\x20]*+'))"
    rb"|style(?=[\t\n\f\r />=])(?!=(?:\"[^\"(&\\]*+\"|'[^'(&\\]*+'))"
    rb"|(?:srcset|ping|attributionsrc|lowsrc|dynsrc|imagesrcset|manifest)(?=[\t\n\f\r />=])"
)
_SKIP = re.compile(
    rb"(?is:[^<]++"
    rb"|<(?![a-z/!?])"
    rb"|</(?!(?:body|select)"
    + _END_OF_NAME
    + rb")[a-z][^\t\n\f\r />]*+"
    + _whole(b"of_end", rb"(?:" + _GAP + _NAME + _VALUE + rb")*")
    + _GAP
    + rb">"
    rb"|<(?!"
    + _TELLING
    + rb")[a-z][^\t\n\f\r />]*+"
    + _whole(b"of_start", rb"(?:" + _GAP + rb"(?!" + _LOADING + rb")" + _NAME + _VALUE + rb")*")
    + _GAP
    + rb">"
    rb"|<!--(?:-?>|.*?--!?>)"
    rb"|<(?:!(?!--)|\?|/(?![a-z]))[^>]*+>"
    rb"){1,4096}"  # a plain repeat remembers every round
)
_TAG = re.compile(
    rb"(?is)<(/?)([a-z][^\t\n\f\r />]*+)"
    + _whole(b"attributes", rb"(?:" + _GAP + _NAME + _VALUE + rb")*")  # the third group
    + rb"("
    + _GAP
    + rb")>"
)
_ATTRIBUTE = re.compile(
    rb"(?is)"
    + _GAP
    + rb"("
    + _NAME
    + rb")(?:"
    + _S
    + rb"*+="
    + _S
    + rb"""*+(?:"([^"]*+)"|'([^']*+)'|(?=>)|([^\t\n\f\r >"'][^\t\n\f\r >]*+)))?"""
)
RAW_TEXT = frozenset((b"style", b"xmp", b"iframe", b"noembed", b"noframes", b"textarea", b"title", b"noscript"))
_CLOSERS = {name: re.compile(rb"(?i)</" + name + _END_OF_NAME) for name in (*RAW_TEXT, b"script")}
_ANY_START = re.compile(rb"(?i)<(?=[a-z]|/body)")
# Drawings and formulas whose end no parser disputes: known elements only, integration points closed and without markup.
_REST_OF_TAG = rb"(?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*"
_PLAIN = (
    rb"(?:[^<]++|<!--(?!-?>)[^>]*?--!?>"
    + b"".join(
        rb"|<" + name + rb"(?=[\t\n\f\r >])" + _whole(b"in_" + name, _REST_OF_TAG) + rb">[^<]*+</" + name + rb"\s*+>"
        for name in (b"title", b"desc", b"style", b"mi", b"mn", b"mo", b"ms", b"mtext", b"annotation")
    )
    + rb"|</?(?:g|path|circle|ellipse|rect|line|polyline|polygon|text|tspan|textpath|defs|use|symbol|image|stop|clippath|mask"
    rb"|pattern|marker|filter|fe[a-z]+|(?:linear|radial)gradient|animate[a-z]*|set|mpath|view|switch|metadata|m(?:row|frac|sup|sub"
    rb"|subsup|sqrt|root|table|tr|td|over|under|underover|style|space|padded|phantom|fenced|multiscripts)|semantics)"
    rb"(?=[\t\n\f\r />])" + _whole(b"in_part", _REST_OF_TAG) + rb">)*"
)
_PLAIN_ISLAND = {
    name: re.compile(
        rb"(?is)<"
        + name
        + rb"(?=[\t\n\f\r />])"
        + _whole(b"in_island", _REST_OF_TAG)
        + rb">"
        + _PLAIN
        + rb"</"
        + name
        + rb"\s*+>"
    )
    for name in (b"svg", b"math")
}
_ISLANDS = frozenset(("svg", "math"))
_ISLAND_ENDS = {name: re.compile(rb"(?i)</" + name.encode() + rb"\s*+>") for name in _ISLANDS}
_SCRIPT_MARK = re.compile(rb"(?i)(<!--(?!-*>))|(-->)|<(/?)script" + _END_OF_NAME)


_MOST_UNFINISHED = 200
_LONGEST_UNSURE = 1024 * 1024


@dataclass(slots=True)
class Context:
    """How to read on where a page was cut between two tokens: inside a select, trusting no context, or nothing but text."""

    in_select: bool = False
    everywhere: bool = False
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Attribute:
    """``start`` is where its name begins; ``value_start:value_end`` the value inside its quotes, if any."""

    name: str
    start: int
    value: str
    value_start: int
    value_end: int
    quote: bytes


@dataclass(frozen=True, slots=True)
class Tag:
    """A start or end tag. ``name_end`` is where a new attribute may be put; ``end`` is behind the ``>``.

    ``content_end`` is where raw text (a script's, a style's) ends; for all other tags it equals ``end``.
    """

    name: str
    closing: bool
    start: int
    name_end: int
    end: int
    content_end: int
    attributes: tuple[Attribute, ...]

    def get(self, name: str) -> str | None:
        """The value that counts: HTML keeps the first of two equal names."""
        return next((item.value for item in self.attributes if item.name == name), None)


def tags(page: bytes, start: int = 0, end: int | None = None, context: Context | None = None) -> Iterator[Tag]:
    """The telling tags from ``start``, in order; an unfinished tag at the end is dropped, as browsers do.

    ``context`` is where an earlier piece of the page left off; it is carried on.
    """
    context = context or Context()
    at, stop = start, len(page) if end is None else end
    if context.everywhere:
        yield from _everywhere(page, at, stop)
        return
    while not context.is_over:
        while skipped := _SKIP.match(page, at, stop):
            at = skipped.end()
        found = _TAG.match(page, at, stop)
        if not found:
            return
        tag = _read(page, found, stop)
        if tag.name == "select":
            context.in_select = not tag.closing
        elif not tag.closing and _is_disputed(page, tag, stop, in_select=context.in_select):
            context.everywhere = True
            yield from _everywhere(page, tag.start, stop)
            return
        yield tag
        if tag.name == "plaintext" and not tag.closing:
            context.is_over = True
        at = tag.content_end


def whole_until(page: bytes, context: Context) -> int:
    """Up to where this beginning of a page can be read for good, whatever comes behind it; at an unfinished token, its start."""
    if context.is_over:
        return len(page)
    if context.everywhere:
        return _sure_everywhere(page, 0)
    at, stop, least, sure, in_select = 0, len(page), 0, 0, context.in_select
    while True:
        while skipped := _SKIP.match(page, at, stop):
            at = skipped.end()
        if at >= least:
            sure = at - 1 if at == stop and page.endswith(b"<") else at
        found = _TAG.match(page, at, stop)
        if not found:
            return sure
        tag = _read(page, found, stop)
        if not tag.closing:
            if tag.name == "plaintext":
                return stop
            if tag.content_end == stop and (tag.name == "script" or tag.name.encode() in RAW_TEXT):
                return sure
            if tag.name == "noscript":
                if (reached := _reach(page, tag.end, tag.content_end)) < 0:
                    return sure
                least = max(least, reached)
            if tag.name == "select":
                in_select = True
            elif _is_disputed(page, tag, stop, in_select=in_select):
                if tag.name in _ISLANDS and not _ISLAND_ENDS[tag.name].search(page, tag.end):
                    return sure
                return max(sure, _sure_everywhere(page, tag.start)) if at >= least else sure
            elif tag.name in _ISLANDS and (island := _PLAIN_ISLAND[tag.name.encode()].match(page, tag.start)):
                least = max(least, island.end())
        elif tag.name == "select":
            in_select = False
        at = tag.content_end


def _reach(page: bytes, at: int, until: int) -> int:
    """Where the last tag ends that begins before ``until`` when this is read as markup; -1 when the page does not say yet."""
    while at < until:
        if found := _SKIP.match(page, at, until):
            at = found.end()
        elif tag := _TAG.match(page, at):
            read = _read(page, tag, len(page))
            if read.content_end == len(page) and read.content_end != read.end:
                return -1
            at = read.content_end
        elif found := _SKIP.match(page, at):
            at = found.end()
        else:
            return -1
    return at


def _sure_everywhere(page: bytes, start: int) -> int:
    """Before the first start whose end is not there yet. One that is long past is taken for no tag."""
    endless = set[bytes]()
    for place in _ANY_START.finditer(page, max(start, len(page) - _LONGEST_UNSURE)):
        found = _TAG.match(page, place.start())
        if not found:
            return place.start()
        tag = _read(page, found, len(page), endless)
        if not tag.closing and tag.content_end == len(page) and (tag.name == "script" or found[2].lower() in RAW_TEXT):
            return place.start()
    return max(start, page.rfind(b"<")) if page[-2:] in (b"</",) or page.endswith(b"<") else len(page)


def _is_disputed(page: bytes, tag: Tag, stop: int, *, in_select: bool) -> bool:
    """Whether what follows can only be read with a tree."""
    island = _PLAIN_ISLAND.get(tag.name.encode())
    if island:
        return not page[: tag.end].endswith(b"/>") and not island.match(page, tag.start, stop)
    return tag.name == "frameset" or (in_select and tag.content_end != tag.end)


def _everywhere(page: bytes, start: int, stop: int) -> Iterator[Tag]:
    """Each start is read by itself. Starts that never end cost a look at the whole rest, so they are let go after some."""
    unfinished, endless = 0, set[bytes]()
    for place in _ANY_START.finditer(page, start, stop):
        found = _TAG.match(page, place.start(), stop)
        if found:
            yield _read(page, found, stop, endless)
        elif (unfinished := unfinished + 1) > _MOST_UNFINISHED:
            return


def _read(page: bytes, found: re.Match[bytes], stop: int, endless: set[bytes] | None = None) -> Tag:
    """``endless`` remembers the raw-text elements found to have no end tag any more."""
    raw_name = found.group(2).lower()
    closing = bool(found.group(1))
    attributes = tuple(_attributes(page, found.start(3), found.end(3)))
    content_end = found.end()
    if raw_name == b"script" and not closing:
        content_end = script_end(page, found.end(), stop)
    elif raw_name in RAW_TEXT and not closing:
        closer = None if endless and raw_name in endless else _CLOSERS[raw_name].search(page, found.end(), stop)
        content_end = closer.start() if closer else stop
        if closer is None and endless is not None:
            endless.add(raw_name)
    return Tag(raw_name.decode("latin-1"), closing, found.start(), found.end(2), found.end(), content_end, attributes)


def _attributes(page: bytes, start: int, end: int) -> Iterator[Attribute]:
    for found in _ATTRIBUTE.finditer(page, start, end):
        group = found.lastindex or 1
        raw = found.group(group) if group > 1 else b""
        value = raw.decode("utf-8", "replace")
        yield Attribute(
            found.group(1).lower().decode("utf-8", "replace"),
            found.start(1),
            unescape(value) if "&" in value else value,
            found.start(group) if group > 1 else found.end(),
            found.end(group) if group > 1 else found.end(),
            (b"", b'"', b"'", b"")[group - 1],
        )


def script_end(page: bytes, start: int, stop: int) -> int:
    """Where a script's text ends: 13.2.5.15 to 13.2.5.31, with its comment-like and nested states."""
    commented = nested = False
    for found in _SCRIPT_MARK.finditer(page, start, stop):
        opened, closed, slash = found.group(1), found.group(2), found.group(3)
        if opened:
            commented = True
        elif closed:
            commented = nested = False
        elif slash and not nested:
            return found.start()
        elif slash:
            nested = False
        elif commented:
            nested = True
    return stop
