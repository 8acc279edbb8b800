"""The frame of every published page: head, header with the editions, footer with contact and ways on. No script."""

import re
from functools import cache
from html import escape
from importlib.resources import files

from lofte.rules.pages.edition import Edition
from lofte.rules.values import phone_href

PAGES = ("policy", "cookies", "changes")


def page(edition: Edition, current: str, title: str, body: str) -> bytes:
    """One whole page. ``title`` is text, ``body`` finished HTML holding everything inside `main`."""
    name = escape(edition.policy.organisation.name)
    return (
        f'<!doctype html>\n<html lang="{edition.locale}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)} - {name}</title>\n"
        f'<link rel="alternate" type="application/json" href="/lofte/policy.json">\n{_alternates(edition, current)}'
        f"<style>{style()}</style>\n</head>\n<body>\n"
        f'<a class="skip" href="#main">{edition.say("nav.skip")}</a>\n{_header(edition, current, name)}\n'
        f'<main id="main" class="{current}">\n{body}\n</main>\n{_footer(edition, name)}\n</body>\n</html>\n'
    ).encode()


@cache
def style() -> str:
    """The style sheet, tightened. In the page itself, so that a frozen page looks as it did when it was published."""
    text = files("lofte.rules.pages").joinpath("page.css").read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return re.sub(r"\s*([{}:;,>])\s*", r"\1", re.sub(r"\s+", " ", text)).replace(";}", "}").strip()


def _alternates(edition: Edition, current: str) -> str:
    links = [
        f'<link rel="alternate" hreflang="{_hreflang(locale, market.country)}" '
        f'href="/lofte/{current}/{key.lower()}/{locale}/">\n'
        for key, market in edition.policy.markets.items()
        for locale in market.locales
    ]
    return "".join(links)


def _hreflang(locale: str, country: str) -> str:
    return locale if "-" in locale else f"{locale}-{country}"


def _header(edition: Edition, current: str, name: str) -> str:
    site = edition.market.path.rstrip("/") + "/"
    pages = "".join(
        f'<li><a href="{edition.path(key)}"{_current(key == current)}>{edition.say(f"nav.{key}")}</a></li>'
        for key in PAGES
    )
    return (
        f'<header class="top"><div class="bar">'
        f'<a class="name" href="{escape(site)}" title="{edition.say("nav.site")}">{name}</a>'
        f'<nav aria-label="{edition.say("nav.pages")}"><ul>{pages}</ul></nav>{_switch(edition, current)}</div></header>'
    )


def _switch(edition: Edition, current: str) -> str:
    """The other editions, each named in its own language; a native disclosure, so that it works without a script."""
    items = "".join(
        f'<li><a href="/lofte/{current}/{key.lower()}/{locale}/" lang="{locale}" hreflang="{locale}"'
        f"{_current((key, locale) == (edition.market_id, edition.locale))}>"
        f"{_edition_name(edition, key, locale)}</a></li>"
        for key, market in edition.policy.markets.items()
        for locale in market.locales
    )
    here = _edition_name(edition, edition.market_id, edition.locale)
    label = edition.say("nav.editions")
    return (
        f'<details class="switch"><summary aria-label="{label}: {here}">{here}</summary>'
        f'<ul aria-label="{label}">{items}</ul></details>'
    )


def _edition_name(edition: Edition, market: str, locale: str) -> str:
    own = Edition(edition.published, market, locale, edition.at)
    name = own.values["market.country"].text
    return escape(name if len(own.market.locales) == 1 else f"{name} ({locale})")


def _footer(edition: Edition, name: str) -> str:
    controller = edition.controller
    values = edition.values
    rows = [
        (edition.say("contact.email"), f'<a href="mailto:{escape(controller.email)}">{escape(controller.email)}</a>'),
        (edition.say("contact.phone"), f'<a href="{phone_href(controller.phone)}">{escape(controller.phone)}</a>'),
        (edition.say("contact.post"), escape(", ".join(controller.post))),
    ]
    if "authority.name" in values:
        web = values.get("authority.web")
        shown = escape(values["authority.name"].text)
        link = (
            f'<a href="{escape(web.href)}" rel="noopener noreferrer">{shown}</a>' if web and web.is_verified else shown
        )
        rows.append((edition.say("contact.authority"), link))
    contact = "".join(f"<div><dt>{label}</dt><dd>{value}</dd></div>" for label, value in rows)
    ways = [
        (edition.path("preferences"), "choices"),
        (edition.portal, "portal"),
        (f"{edition.path('policy')}versions/", "versions"),
        ("/lofte/policy.json", "data"),
    ]
    links = "".join(f'<li><a href="{href}">{edition.say(f"nav.{key}")}</a></li>' for href, key in ways)
    updated = edition.say("updated", month=edition.values["last_updated"].text)
    version = edition.say("version", version=edition.published.version)
    return (
        f'<footer class="end"><div class="bar"><section aria-labelledby="contact-end"><h2 id="contact-end">'
        f"{edition.say('contact.title')}</h2><p><strong>{escape(controller.name)}</strong></p><dl>{contact}</dl></section>"
        f'<nav aria-label="{name}"><ul>{links}</ul><p class="fine">{updated} · {version}</p></nav></div></footer>'
    )


def _current(is_current: bool) -> str:
    return ' aria-current="page"' if is_current else ""
