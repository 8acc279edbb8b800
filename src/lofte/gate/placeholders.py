"""What stands in place of a held frame: why it is not there, its picture from our own server, and the ways to it.

Nothing is asked of the frame's host before a click. Without scripts there is a plain link to the thing itself and one
to the settings; `/lofte/static/frames.js` adds *once* (this frame, now; nothing is remembered) and *always* (a
consent, recorded like any other). The same bytes for everyone.
"""

import hmac
import re
from collections.abc import Mapping
from html import escape

from lofte.gate.choice import derive_key, signature
from lofte.gate.hosts import bare, host_of
from lofte.rules import frames
from lofte.rules.catalogue import say
from lofte.rules.model import Locale, MarketId, StorageModel
from lofte.rules.published import Published

DRESSING = (
    b'<link rel="stylesheet" href="/lofte/static/frames.css"><script defer src="/lofte/static/frames.js"></script>'
)
"""Once a page, anywhere before its first placeholder."""
_NUMBER = re.compile(r"\d{1,4}")
_MAC_LENGTH = 16  # 96 bits of base64url


class Posters:
    """Signed addresses of pictures: the server fetches what pages of ours show, not what anybody asks it for."""

    def __init__(self, choice_key: bytes) -> None:
        self._key = derive_key(choice_key, "poster/1")

    def path(self, tag: str, name: str) -> str:
        return f"/lofte/poster/{tag}/{name}.{self._mac(tag, name)}"

    def read(self, tag: str, signed: str) -> str | None:
        """The name, if we signed it."""
        name, _, mac = signed.rpartition(".")
        return name if mac.isascii() and hmac.compare_digest(mac, self._mac(tag, name)) else None

    def _mac(self, tag: str, name: str) -> str:
        return signature(f"{tag}/{name}".encode(), self._key)[:_MAC_LENGTH]


class Placeholders:
    """The placeholders of one publication, market and locale. ``host_map``: stand-in host -> declared host."""

    def __init__(
        self,
        published: Published,
        market: MarketId,
        locale: Locale,
        choice_key: bytes,
        host_map: Mapping[str, str] | None = None,
    ) -> None:
        self._published, self._policy, self._locale = published, published.policy, locale
        self._hosts = dict(host_map or {})
        self._posters = Posters(choice_key)
        self._wording = published.wordings.get(f"{market}/{locale}/frame", "")
        models = published.policy.browser_purposes(market)
        self._asked = frozenset(key for key, model in models.items() if model is not StorageModel.NECESSARY)

    def of(
        self, address: str, purposes: tuple[str, ...], preferences: str, title: str = "", width: str = "",
        height: str = "",
    ) -> bytes:  # fmt: skip
        """The placeholder of a frame with this address; ``purposes`` are those its host is declared for, if any."""
        host = bare(host_of(address) or "")
        known = frames.known(self._policy, address, self._hosts)
        kind = known.frame.kind if known else "frame"
        title = title.strip()
        page = (known and known.page) or _absolute(address)
        to = escape(bare(host_of(page) or host).removeprefix("www."))
        opened = f'<a href="{escape(page)}" rel="noopener noreferrer">{self._say("open", host=to)}</a>' if page else ""
        tags = (
            [self._policy.tags[known.tag]] if known else frames.tags_of_host(self._policy, self._hosts.get(host, host))
        )
        asked = tuple(purpose for purpose in purposes if purpose in self._asked)
        heading = f"<strong>{escape(title)}</strong> " if title else ""
        if not tags or not asked:
            inside = f"<span>{heading}{self._say('unknown', host=escape(host))}</span><span>{opened}</span>"
        else:
            name = escape(tags[0].name)
            recipient = escape(self._policy.recipients[tags[0].recipient].name)
            lead = self._say(f"lead.{kind}", name=name, recipient=recipient)
            inside = (
                f"<span>{heading}{lead}</span>"
                f"<span>{self._buttons(asked)}{opened}"
                f'<a data-lofte="settings" href="{escape(preferences)}">{self._say("settings")}</a></span>'
                f'<small data-lofte="why" hidden>{self._say("why", purposes=escape(self._names(asked)))}</small>'
            )
        picture = ""
        if known and known.frame.poster and known.id:
            picture = f'<img src="{self._posters.path(known.tag, known.id)}" alt="" loading="lazy" decoding="async">'
        size = (width.strip(), height.strip())
        style = f' style="--w:{size[0]};--h:{size[1]}"' if all(map(_NUMBER.fullmatch, size)) else ""
        return (
            f'<span class="lofte-held" data-lofte="held-frame" data-kind="{kind}" role="group" '
            f'aria-label="{escape(title or (tags[0].name if tags else host))}"{style}>'
            f"{picture}<span>{inside}</span></span>"
        ).encode("ascii", "xmlcharrefreplace")

    def _buttons(self, asked: tuple[str, ...]) -> str:
        """Of equal weight, and only there where the script that answers them is."""
        wanted = escape(" ".join(asked))
        return (
            f'<button type="button" data-lofte="once" hidden>{self._say("once")}</button>'
            f'<button type="button" data-lofte="always" data-purposes="{wanted}" data-wording="{self._wording}" hidden>'
            f"{self._say('always')}</button>"
        )

    def _names(self, purposes: tuple[str, ...]) -> str:
        return ", ".join(self._published.word(self._locale, "purposes", purpose, "name") for purpose in purposes)

    def _say(self, key: str, **slots: str) -> str:
        """Slots are finished HTML."""
        marks = {name: f"\0{name}\0" for name in slots}
        text = escape(say(self._locale, f"frames.{key}", **marks), quote=False)
        for name, value in slots.items():
            text = text.replace(marks[name], value)
        return text


def _absolute(address: str) -> str:
    """Where a link may lead; empty for what is no plain address of the web."""
    text = address.strip()
    text = f"https:{text}" if text.startswith("//") else text
    return text if text.lower().startswith(("https://", "http://")) else ""
