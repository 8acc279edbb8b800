"""What a round of probes is given to look at.

One World a round: what two probes both need is gathered once and shared.
"""

import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings

from lofte.core import clock, publication
from lofte.probes import serving
from lofte.probes.instruments.browsers import Browsers
from lofte.rules.published import Published

T = TypeVar("T")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass
class World:
    """``base_url`` is the running site without a slash at its end. ``browser`` is an executable, ``mailbox`` the base
    address of a Mailpit-compatible mailbox; None where there is none. ``host_map`` names stand-ins: host as seen in
    pages -> declared host. ``canary_domain`` is a mail domain the mailbox receives for.
    ``markets``, if given, narrows browser visits. ``browsers``, if given, are kept open by whoever gives them, else they live as
    long as the round.
    """

    base_url: str
    home: Path
    published: Published
    now: Callable[[], datetime]
    browser: str | None = None
    mailbox: str | None = None
    host_map: Mapping[str, str] = field(default_factory=dict)
    canary_domain: str = "canary.example"
    markets: tuple[str, ...] = ()
    browsers: Browsers | None = field(default=None, repr=False)
    _shared: dict[str, Any] = field(default_factory=dict, repr=False)
    _lock: Any = field(default_factory=threading.RLock, repr=False)

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What ``make`` gives, made once a round. If it fails, it fails alike for everyone who asks."""
        with self._lock:
            if name not in self._shared:
                try:
                    self._shared[name] = (make(), None)
                except Exception as failure:
                    self._shared[name] = (None, failure)
            made, failed = self._shared[name]
        if failed is not None:
            raise failed
        return made  # type: ignore[no-any-return]  # the name decides the type

    @property
    def visited_markets(self) -> tuple[str, ...]:
        return self.markets or tuple(self.published.policy.markets)

    def editions(self) -> list[tuple[str, str]]:
        """Every market with each of its locales."""
        return [(key, locale) for key, market in self.published.policy.markets.items() for locale in market.locales]

    def promises_of(self, control_id: str) -> list[str]:
        """The promises a control keeps."""
        policy = self.published.policy
        return [key for key, one in policy.promises.items() if any(each.control == control_id for each in one.controls)]


def find_browser() -> str | None:
    """A Chromium on the path; `scripts/run --with-browser` installs one."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def here(base_url: str = "", host_map: Mapping[str, str] | None = None) -> World:
    """The world of this installation; what is not given is as the serving process last noted it, else as in the settings.

    Raises Problem when nothing is published.
    """
    home: Path = settings.LOFTE_HOME
    noted = serving.noted(home)
    return World(
        base_url=(base_url or noted.get("base_url") or settings.LOFTE_ORIGIN).rstrip("/"),
        home=home,
        published=publication.current(),
        now=clock.now,
        browser=find_browser(),
        mailbox=settings.LOFTE_CANARY_MAILBOX or noted.get("mailbox") or None,
        host_map=noted.get("host_map", {}) if host_map is None else host_map,
        canary_domain=getattr(settings, "LOFTE_CANARY_DOMAIN", "") or "canary.example",
    )


def note_serving(home: Path, base_url: str, host_map: Mapping[str, str]) -> None:
    """Write down where we serve, which hosts play which declared ones and where canaries get their mail.

    `lofte probe` runs beside the serving process, in an environment of its own, and must look at the same things.
    """
    noted = {"base_url": base_url, "origin": settings.LOFTE_ORIGIN, "mailbox": settings.LOFTE_CANARY_MAILBOX}
    serving.note(home, {**noted, "host_map": dict(host_map)})
