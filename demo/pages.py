"""The pages of the company site as HTML. One shell, nine pages, drawn from the words of an edition."""

import json
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from demo import forms

if TYPE_CHECKING:
    from demo.site import Edition

OFFICES = ("Oslo", "Bristol", "Stockholm", "Colorado Springs", "Helsinki")
MAIL, PHONE, POST = "info@xledger.se", "+46 8 568 901 00", "Xledger, Gårdsvägen 6, 169 70 Solna, Sweden"
MENU = ("product", "customers", "partners", "about", "events", "contact")

MARK = (
    '<svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8"/>'
    '<path d="M8 11h16M8 16h10M8 21h13"/></svg>'
)


def render(edition: "Edition", page: str, editions: Sequence["Edition"], port: str) -> str:
    words = edition.words[page]
    inside = _PAGES[page](edition, words, port)
    return shell(edition, page, editions, port, words["title"], inside, words["lead"])


def shell(
    edition: "Edition",
    page: str,
    editions: Sequence["Edition"],
    port: str,
    title: str,
    inside: str,
    lead: str = "",
) -> str:
    words = edition.words
    here = edition.address(page)
    alternates = "".join(
        f'<link rel="alternate" hreflang="{_tongue(other)}" href="http://localhost{port}{other.address(page)}">\n'
        for other in editions
    )
    menu = "".join(
        f'<a href="{edition.address(item)}"{_current(item == page)}>{escape(words["nav"][item])}</a>' for item in MENU
    )
    return f"""<!doctype html>
<html lang="{edition.locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · Xledger</title>
<meta name="description" content="{escape(lead)}">
<link rel="canonical" href="http://localhost{port}{here}">
{alternates}<link rel="alternate" hreflang="x-default" href="http://localhost{port}/">
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/site.css">
{_tags_in_head(port)}
</head>
<body class="page-{page}">
<header class="top">
<a class="skip" href="#content">{escape(words["site"]["skip"])}</a>
<a class="brand" href="{edition.path}/" aria-label="{escape(words["site"]["top"])}">{MARK}<span>Xledger</span></a>
<nav aria-label="{escape(words["site"]["menu"])}">{menu}</nav>
{_switch(edition, page, editions)}
</header>
<main id="content">
{inside}
</main>
{_footer(edition, here)}
{_tags_at_the_end(port)}
</body>
</html>
"""


def regions(editions: Sequence["Edition"], page: str) -> str:
    """The front door: five editions, each in its own language."""
    cards = "".join(
        f'<li lang="{item.locale}"><form method="post" action="/region"><input type="hidden" name="page" value="{page}">'
        f'<button name="edition" value="{item.path[1:]}"><b>{escape(item.words["site"]["edition"])}</b>'
        f"<span>{escape(item.words['site']['language'])}</span>"
        f"<small>{escape(item.words['region']['lead'])}</small></button></form></li>"
        for item in editions
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Xledger</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/site.css">
</head>
<body class="page-regions">
<main id="content" class="door">
<h1 class="brand">{MARK}<span>Xledger</span></h1>
<ul class="regions">{cards}</ul>
</main>
</body>
</html>
"""


# ----- what marketing pasted in over the years; nobody marked up any of it -----


def _tags_in_head(port: str) -> str:
    loader = json.dumps(f"http://tags.localhost{port}/gtm.js?id=GTM-DEMO")
    return f"""<link rel="preconnect" href="http://tags.localhost{port}">
<link rel="dns-prefetch" href="//facebook.localhost{port}">
<script>(function(w,d,u){{w.dataLayer=w.dataLayer||[];var s=d.createElement('script');s.async=true;s.src=u;d.head.appendChild(s);\
}})(window,document,{loader});</script>
<script async src="http://linkedin.localhost{port}/insight.js"></script>
<script>document.cookie='visited='+Date.now()+';path=/;max-age=31536000';</script>"""


def _tags_at_the_end(port: str) -> str:
    events = json.dumps(f"http://facebook.localhost{port}/fbevents.js")
    return f"""<script>!function(d,u){{var s=d.createElement('script');s.async=true;s.src=u;d.body.appendChild(s)}}\
(document,{events});</script>
<noscript><img height="1" width="1" alt="" src="http://facebook.localhost{port}/tr?ev=PageView&amp;noscript=1"></noscript>
<img class="pixel" height="1" width="1" alt="" src="http://instagram.localhost{port}/pixel.gif">
<script defer src="http://chat.localhost{port}/widget.js"></script>"""


# ----- parts -----


def _switch(edition: "Edition", page: str, editions: Sequence["Edition"]) -> str:
    items = "".join(
        f'<li><button name="edition" value="{item.path[1:]}" lang="{item.locale}"{_current(item is edition)}>'
        f"<span>{escape(item.words['site']['edition'])}</span> <i>{escape(item.words['site']['language'])}</i></button></li>"
        for item in editions
    )
    words = edition.words["region"]
    return (
        f'<details class="switch"><summary><span class="unseen">{escape(words["label"])}: </span>'
        f"{_GLOBE}<span>{edition.path[1:].upper()}</span></summary>"
        f'<form method="post" action="/region"><input type="hidden" name="page" value="{page}">'
        f"<ul>{items}</ul><p>{escape(words['lead'])}</p></form></details>"
    )


_GLOBE = (
    '<svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="9"/>'
    '<path d="M3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18"/></svg>'
)


def _footer(edition: "Edition", here: str) -> str:
    words = edition.words["footer"]
    pages = "".join(
        f'<li><a href="{edition.address(item)}">{escape(edition.words["nav"][item])}</a></li>'
        for item in (*MENU, "article", "newsletter")
    )
    privacy = "".join(
        f'<li><a href="{where}"{mark}>{escape(words[name])}</a></li>'
        for name, where, mark in (
            ("policy", edition.own("policy"), ""),
            ("cookies", edition.own("cookies"), ""),
            ("settings", f"{edition.own('preferences')}?back={here}", ' id="lofte-settings"'),
            ("data", f"/my/{edition.market.lower()}/{edition.locale}/", ""),
        )
    )
    return f"""<footer class="foot">
<div><p class="brand">{MARK}<span>Xledger</span></p><p>{escape(words["line"])}</p></div>
<nav aria-label="{escape(words["company"])}"><h2>{escape(words["company"])}</h2><ul>{pages}</ul></nav>
<nav aria-label="{escape(words["privacy"])}"><h2>{escape(words["privacy"])}</h2><ul>{privacy}</ul></nav>
</footer>"""


def _intro(words: dict[str, Any], extra: str = "") -> str:
    return f'<section class="intro"><h1>{escape(words["title"])}</h1><p class="lead">{escape(words["lead"])}</p>{extra}</section>'


def _cards(items: Sequence[dict[str, str]], level: str = "h2") -> str:
    inside = "".join(
        f"<li><{level}>{escape(item['title'])}</{level}><p>{escape(item['text'])}</p></li>" for item in items
    )
    return f'<ul class="cards">{inside}</ul>'


def _art() -> str:
    """A page of a ledger, drawn: rows that fill up, one of them just now."""
    widths = (62, 88, 46, 120, 74, 104, 58, 132, 90, 68)
    rows = "".join(
        f'<g transform="translate(0 {18 + number * 26})"><circle cx="14" cy="6" r="4"/>'
        f'<rect x="32" y="1" width="{width}" height="10" rx="5" class="{"now" if number == 7 else "row"}"/>'
        f'<rect x="{236 - width // 3}" y="1" width="{width // 3 + 20}" height="10" rx="5" class="sum"/>'
        f'<path d="M0 19h270"/></g>'
        for number, width in enumerate(widths)
    )
    return f'<svg class="art" viewBox="0 0 270 290" aria-hidden="true">{rows}</svg>'


def _current(is_here: bool) -> str:
    return ' aria-current="page"' if is_here else ""


def _tongue(edition: "Edition") -> str:
    return edition.locale if "-" in edition.locale else f"{edition.locale}-{edition.market}"


# ----- pages -----


def _home(edition: "Edition", words: dict[str, Any], port: str) -> str:
    story, news = words["story"], words["news"]
    return f"""<section class="hero"><div><h1>{escape(words["title"])}</h1><p class="lead">{escape(words["lead"])}</p>
<p class="actions"><a class="button" href="{edition.address("product")}">{escape(words["primary"])}</a>
<a class="button quiet" href="{edition.address("contact")}">{escape(words["secondary"])}</a></p></div>{_art()}</section>
<section><h2>{escape(words["points_title"])}</h2>{_cards(words["points"], "h3")}</section>
<section class="pair">
<a class="panel deep" href="{edition.address("article")}"><h2>{escape(story["title"])}</h2><p>{escape(story["text"])}</p>
<span class="go">{escape(story["link"])}</span></a>
<a class="panel" href="{edition.address("newsletter")}"><h2>{escape(news["title"])}</h2><p>{escape(news["text"])}</p>
<span class="go">{escape(news["link"])}</span></a>
</section>"""


def _product(edition: "Edition", words: dict[str, Any], port: str) -> str:
    ask = f'<a class="button" href="{edition.address("contact")}">{escape(edition.words["nav"]["contact"])}</a>'
    close = f'<section class="close"><p>{escape(words["close"])}</p>{ask}</section>'
    return f"{_intro(words)}<section>{_cards(words['parts'])}</section>{close}"


def _customers(edition: "Edition", words: dict[str, Any], port: str) -> str:
    stories = "".join(
        f'<li><p class="trade">{escape(item["trade"])}</p><h2>{escape(item["name"])}</h2><p>{escape(item["text"])}</p>'
        f"<blockquote><p>{escape(item['quote'])}</p><footer>{escape(item['who'])}</footer></blockquote></li>"
        for item in words["stories"]
    )
    return f'{_intro(words)}<section><ul class="stories">{stories}</ul></section>'


def _partners(edition: "Edition", words: dict[str, Any], port: str) -> str:
    data = words["data"]
    link = f'<a href="{edition.own("policy")}">{escape(edition.words["footer"]["policy"])}</a>'
    return (
        f"{_intro(words)}<section>{_cards(words['kinds'])}</section>"
        f'<section class="note"><h2>{escape(data["title"])}</h2><p>{escape(data["text"])} {link}</p></section>'
    )


def _about(edition: "Edition", words: dict[str, Any], port: str) -> str:
    text = "".join(f"<p>{escape(item)}</p>" for item in words["paragraphs"])
    offices = "".join(f"<li>{escape(city)}</li>" for city in OFFICES)
    return (
        f'{_intro(words)}<section class="prose">{text}</section>'
        f'<section><h2>{escape(words["offices"])}</h2><ul class="offices">{offices}</ul></section>'
    )


def _events(edition: "Edition", words: dict[str, Any], port: str) -> str:
    items = "".join(
        f'<li><time datetime="{item["iso"]}">{escape(item["when"])}</time><div><h2>{escape(item["title"])}</h2>'
        f'<p>{escape(item["text"])}</p></div><p class="place">{escape(item["place"])}</p></li>'
        for item in words["items"]
    )
    ask = (
        f'<p class="actions"><a class="button" href="{edition.offers("events")}">{escape(words["register"])}</a> '
        f'<a class="button quiet" href="mailto:{MAIL}">{MAIL}</a></p>'
    )
    close = f'<section class="close"><p>{escape(words["ask"])}</p>{ask}</section>'
    return f'{_intro(words)}<section><ul class="events">{items}</ul></section>{close}'


def _article(edition: "Edition", words: dict[str, Any], port: str) -> str:
    first, *rest = (f"<p>{escape(item)}</p>" for item in words["paragraphs"])
    film = (
        f'<figure class="film"><iframe width="560" height="315" title="{escape(words["video"])}" allowfullscreen loading="lazy" '
        f'src="http://youtube.localhost{port}/embed/demo"></iframe><figcaption>{escape(words["caption"])}</figcaption></figure>'
    )
    get = f'<p class="actions"><a class="button" href="{edition.offers("materials")}">{escape(words["checklist"])}</a></p>'
    return f'<article>{_intro(words)}<section class="prose">{first}{film}{"".join(rest)}{get}</section></article>'


def _contact(edition: "Edition", words: dict[str, Any], port: str) -> str:
    rows = (
        (words["mail"], f'<a href="mailto:{MAIL}">{MAIL}</a>'),
        (words["phone"], f'<a href="tel:{PHONE.replace(" ", "")}">{PHONE}</a>'),
        (words["post"], "<br>".join(escape(part) for part in POST.split(", "))),
    )
    listed = "".join(f"<div><dt>{escape(name)}</dt><dd>{value}</dd></div>" for name, value in rows)
    link = f'<p class="aside"><a href="{edition.own("policy")}">{escape(words["privacy"])}</a></p>'
    said = f"<h2>{escape(words['form'])}</h2><p>{escape(words['form_lead'])}</p>"
    ask = f'<section class="ask">{said}{forms.slot("inquiry")}</section>'
    return f'{_intro(words)}{ask}<section><dl class="contact">{listed}</dl>{link}</section>'


def _newsletter(edition: "Edition", words: dict[str, Any], port: str) -> str:
    points = "".join(f"<li>{escape(item)}</li>" for item in words["points"])
    button = f'<a class="button" href="/news/{edition.market.lower()}/{edition.locale}/">{escape(words["button"])}</a>'
    return f'{_intro(words)}<section class="prose"><ul class="ticks">{points}</ul><p class="actions">{button}</p></section>'


_PAGES: dict[str, Callable[["Edition", dict[str, Any], str], str]] = {
    "home": _home,
    "product": _product,
    "customers": _customers,
    "partners": _partners,
    "about": _about,
    "events": _events,
    "article": _article,
    "contact": _contact,
    "newsletter": _newsletter,
}
