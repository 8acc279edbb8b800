"""A page as a probe reads it: words, forms, links.

Standard library only; it reads what the server sent, not what scripts make.
"""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

_SILENT = frozenset(("script", "style", "template", "noscript", "title"))
_VOID_FIELDS = frozenset(("submit", "button", "image", "reset"))


@dataclass
class Input:
    name: str
    kind: str
    value: str = ""
    checked: bool = False


@dataclass
class Form:
    action: str
    method: str
    inputs: list[Input] = field(default_factory=list)
    buttons: list[Input] = field(default_factory=list)
    text: str = ""

    def values(self) -> dict[str, str]:
        """What a browser would send if nothing were touched, buttons apart."""
        picked = (one for one in self.inputs if one.kind not in ("checkbox", "radio") or one.checked)
        return {one.name: one.value for one in picked if one.name}


@dataclass
class Page:
    lang: str = ""
    text: str = ""
    forms: list[Form] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    promises: set[str] = field(default_factory=set)

    def form_with(self, name: str) -> Form | None:
        """The first form that has an input of this name."""
        return next((form for form in self.forms if any(one.name == name for one in form.inputs)), None)

    def form_to(self, part: str) -> Form | None:
        """The first form whose action holds ``part``."""
        return next((form for form in self.forms if part in form.action), None)


def read(markup: str) -> Page:
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    reader.page.text = squeezed(" ".join(reader.words))
    return reader.page


def squeezed(text: str) -> str:
    """White space as one plain blank, so that a text is found however it was set."""
    return re.sub(r"[\s\u00a0\u2009\u202f]+", " ", text).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.words: list[str] = []
        self._silent = 0
        self._form: Form | None = None
        self._textarea: Input | None = None

    def handle_starttag(self, tag: str, found: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in found}
        if tag in _SILENT:
            self._silent += 1
        if tag == "html":
            self.page.lang = attributes.get("lang", "")
        elif tag == "a" and "href" in attributes:
            self.page.links.append(attributes["href"])
        elif tag == "form":
            self._form = Form(attributes.get("action", ""), attributes.get("method", "get").lower())
            self.page.forms.append(self._form)
        elif tag in ("input", "button", "select", "textarea") and self._form is not None:
            self._field(tag, attributes)
        if "data-promise" in attributes:
            self.page.promises.update(attributes["data-promise"].split())

    def _field(self, tag: str, attributes: dict[str, str]) -> None:
        default = {"button": "submit", "input": "text"}.get(tag, tag)
        kind = attributes.get("type", default).lower() if tag != "textarea" else "textarea"
        one = Input(attributes.get("name", ""), kind, attributes.get("value", ""), "checked" in attributes)
        if one.kind in ("checkbox", "radio") and "value" not in attributes:
            one.value = "on"
        assert self._form is not None
        (self._form.buttons if kind in _VOID_FIELDS else self._form.inputs).append(one)
        self._textarea = one if tag == "textarea" else None

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT and self._silent:
            self._silent -= 1
        elif tag == "form":
            self._form = None
        elif tag == "textarea":
            self._textarea = None

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        if self._textarea is not None:
            self._textarea.value += data
            return
        self.words.append(data)
        if self._form is not None:
            self._form.text += f" {data}"
