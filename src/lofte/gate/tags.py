"""Finds the tags of an HTML document that can load something, with their byte offsets, and skips the rest in C.

Follows the tokenizer of the WHATWG HTML standard (13.2.5) on bytes of any ASCII-compatible encoding: quoted and
unquoted attribute values, comments and their odd endings, raw-text elements, script data with its escaped states.
It builds no tree; where a tree would decide (foreign content), it looks inside rather than past.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

_S = rb"[\t\n\f\r ]"
_GAP = rb"[\t\n\f\r /]*+"
_NAME = rb"[^\t\n\f\r />][^\t\n\f\r />=]*+"
_VALUE = rb"(?:" + _S + rb"*+=" + _S + rb"""*+(?:"[^"]*+"|'[^']*+'|(?=>)|[^\t\n\f\r >"'][^\t\n\f\r >]*+))?+"""
_END_OF_NAME = rb"(?=[\t\n\f\r />])"

# Elements that load, switch the tokenizer, or mark where the gate inserts.
_TELLING = (
    rb"(?:script|style|link|iframe|meta|base|noscript|body|head|html|textarea|title|xmp|noembed|noframes|plaintext|svg|math"
    rb"|object|embed|applet|image|use|feimage|frameset)" + _END_OF_NAME
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
    rb"|</(?!(?:body|svg|math)"
    + _END_OF_NAME
    + rb")[a-z][^\t\n\f\r />]*+(?:"
    + _GAP
    + _NAME
    + _VALUE
    + rb")*+"
    + _GAP
    + rb">"
    rb"|<(?!"
    + _TELLING
    + rb")[a-z][^\t\n\f\r />]*+(?:"
    + _GAP
    + rb"(?!"
    + _LOADING
    + rb")"
    + _NAME
    + _VALUE
    + rb")*+"
    + _GAP
    + rb">"
    rb"|<!--(?:-?>|.*?--!?>)"
    rb"|<(?:!(?!--)|\?|/(?![a-z]))[^>]*+>"
    rb")*+"
)
_TAG = re.compile(rb"(?is)<(/?)([a-z][^\t\n\f\r />]*+)((?:" + _GAP + _NAME + _VALUE + rb")*+)(" + _GAP + rb")>")
_ATTRIBUTE = re.compile(
    rb"(?is)"
    + _GAP
    + rb"("
    + _NAME
    + rb")(?:"
    + _S
    + rb"*+="
    + _S
    + rb"""*+(?:"([^"]*+)"|'([^']*+)'|(?=>)|([^\t\n\f\r >"'][^\t\n\f\r >]*+)))?+"""
)
RAW_TEXT = frozenset((b"style", b"xmp", b"iframe", b"noembed", b"noframes", b"textarea", b"title", b"noscript"))
_CLOSERS = {name: re.compile(rb"(?i)</" + name + _END_OF_NAME) for name in (*RAW_TEXT, b"script")}
_SCRIPT_MARK = re.compile(rb"(?i)(<!--(?!-*>))|(-->)|<(/?)script" + _END_OF_NAME)


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
    foreign: bool

    def get(self, name: str) -> str | None:
        """The value that counts: HTML keeps the first of two equal names."""
        return next((item.value for item in self.attributes if item.name == name), None)


def tags(page: bytes, start: int = 0, end: int | None = None) -> Iterator[Tag]:
    """The telling tags from ``start``, in order; an unfinished tag at the end is dropped, as browsers do."""
    at, stop, depth = start, len(page) if end is None else end, 0
    while True:
        skipped = _SKIP.match(page, at, stop)
        at = skipped.end() if skipped else at
        found = _TAG.match(page, at, stop)
        if not found:
            return
        tag = _read(page, found, stop, foreign=depth > 0)
        if tag.name in ("svg", "math") and not found.group(4).endswith(b"/"):
            depth = max(0, depth - 1) if tag.closing else depth + 1
        yield tag
        if tag.name == "plaintext" and not tag.closing and not tag.foreign:
            return
        at = tag.content_end


def _read(page: bytes, found: re.Match[bytes], stop: int, *, foreign: bool) -> Tag:
    raw_name = found.group(2).lower()
    closing = bool(found.group(1))
    attributes = tuple(_attributes(page, found.start(3), found.end(3)))
    content_end = found.end()
    if raw_name == b"script" and not closing:
        content_end = script_end(page, found.end(), stop)
    elif raw_name in RAW_TEXT and not closing and not foreign:
        closer = _CLOSERS[raw_name].search(page, found.end(), stop)
        content_end = closer.start() if closer else stop
    return Tag(
        raw_name.decode("latin-1"), closing, found.start(), found.end(2), found.end(), content_end, attributes, foreign
    )


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
