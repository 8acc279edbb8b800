"""The page where a visitor sees and changes what the browser may keep: one form, no script.

It is what every permanent "cookie settings" link opens; withdrawing all is one button on it (GDPR 7(3): as easy as
giving). Slots: ``token``, ``back``, ``nonce``, ``gpc``, ``checked:<purpose>`` (`` checked`` or nothing), ``history``.
"""

import math
import re
from html import escape

from lofte.rules.catalogue import say
from lofte.rules.model import Cookie, Locale, MarketId, Policy, StorageModel
from lofte.rules.pages.banner import asked_purposes, hidden_inputs, painted
from lofte.rules.published import Published
from lofte.rules.values import country, period

_ROLES = """{--ink:@text;--soft:@soft;--paper:@surface;--wash:@wash;
--line:color-mix(in srgb,@line 50%,@surface);--deep:@button;--on-deep:@button-text;--ring:@focus;
--round:@radius}"""
_CSS = """
*{box-sizing:border-box}
body{margin:0;font:16px/1.55 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
main{max-width:46rem;margin:0 auto;padding:clamp(1.25rem,5vw,3.5rem) 1.25rem 4rem}
h1{font-size:clamp(1.6rem,5vw,2.3rem);line-height:1.15;margin:.75rem 0 .5rem;text-wrap:balance}
h2{font-size:1.25rem;line-height:1.3;margin:3rem 0 .5rem}
p{max-width:38rem;margin:.4rem 0}
a{color:inherit;text-underline-offset:.18em}
:focus-visible{outline:3px solid var(--ring);outline-offset:2px;border-radius:4px}
.back{display:inline-flex;align-items:center;min-height:44px}
.lead{font-size:1.1rem;color:var(--soft)}
.gpc{margin:1rem 0;padding:.75rem 1rem;background:var(--wash);border-radius:10px}
.gpc:not([data-gpc="1"]){display:none}
fieldset{border:0;margin:1.5rem 0 0;padding:0;display:grid;gap:1rem}
.card{border:1px solid var(--line);border-radius:14px;padding:.5rem 1.25rem 1rem}
.card>label,.card>.name{display:flex;align-items:center;gap:.85rem;min-height:48px;font-weight:650;font-size:1.1rem}
.card>label{cursor:pointer}
input[type=checkbox]{flex:none;width:24px;height:24px;margin:0;accent-color:var(--deep)}
.always{margin-left:auto;font-size:.85rem;font-weight:500;color:var(--soft)}
summary{cursor:pointer;min-height:44px;padding:.6rem 0;font-weight:550}
table{border-collapse:collapse;width:100%;font-size:.92rem;line-height:1.45;margin:.25rem 0 1rem}
th,td{text-align:left;vertical-align:top;padding:.5rem .75rem .5rem 0;border-top:1px solid var(--line);
overflow-wrap:anywhere}
thead th{border:0;color:var(--soft);font-weight:500;overflow-wrap:normal}
td:last-child{min-width:7rem}
td:first-child{font-weight:550}
code{font:.9em ui-monospace,monospace}
.small{display:block;color:var(--soft);font-size:.85rem;font-weight:400}
@media(max-width:34rem){table,tbody,tr,td{display:block}thead{position:absolute;width:1px;height:1px;overflow:hidden;
clip-path:inset(50%)}td{border:0;padding:.1rem 0}tr{border-top:1px solid var(--line);padding:.6rem 0}
td[data-th]::before{content:attr(data-th) ": ";color:var(--soft);font-weight:400}}
.buttons{display:grid;gap:.75rem;grid-template-columns:repeat(auto-fit,minmax(12rem,1fr));margin:1.5rem 0 0}
button{min-height:48px;padding:.5rem 1rem;font:600 1rem/1.2 system-ui,sans-serif;color:var(--on-deep);
background:var(--deep);border:1px solid var(--deep);border-radius:var(--round);cursor:pointer}
.withdraw{margin:1.5rem 0 0;padding:1.25rem;background:var(--wash);border-radius:14px;
display:flex;flex-wrap:wrap;gap:.75rem 1.5rem;align-items:center;justify-content:space-between}
.withdraw p{flex:1 1 16rem}
.links{margin-top:2.5rem;display:flex;flex-wrap:wrap;gap:0 1.5rem}
.links a{display:inline-flex;align-items:center;min-height:44px}
@media(forced-colors:active){.card,.withdraw,.gpc{border:1px solid}}
@media print{button,.back{display:none}}
"""


_DAYS: tuple[dict[str, float], dict[str, float]] = (
    {"Y": 365, "M": 30, "W": 7, "D": 1},
    {"H": 1 / 24, "M": 1 / 1440, "S": 1 / 86400},
)


def preferences(published: Published, market: MarketId, locale: Locale) -> bytes:
    """The whole page, frozen."""
    tail = f"{market.lower()}/{locale}/"
    asked = asked_purposes(published, market)
    fixed = [key for key, model in published.policy.browser_purposes(market).items() if model is StorageModel.NECESSARY]
    cards = [_card(published, market, locale, key, model) for key, model in asked.items()]
    cards += [_card(published, market, locale, key, StorageModel.NECESSARY) for key in fixed]
    title = _say(locale, "title")
    theme = published.policy.banner.theme
    light, dark = (painted(_ROLES, palette, theme.radius) for palette in (theme.light, theme.dark))
    roles = f":root{{color-scheme:light dark}}:root{light}@media(prefers-color-scheme:dark){{:root{dark}}}"
    style = (roles + _CSS).replace("\n", "")
    page = f"""<!doctype html>
<html lang="{locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<base target="_top">
<title>{title} · {escape(published.policy.organisation.name)}</title>
<style nonce="<!--lofte:nonce-->">{style}</style>
</head>
<body>
<main id="lofte-preferences" data-lofte="preferences" aria-labelledby="lofte-title">
<a class="back" href="<!--lofte:back-->">← {_say(locale, "back")}</a>
<h1 id="lofte-title">{title}</h1>
<p class="lead">{_say(locale, "lead")}</p>
<p class="gpc" data-gpc="<!--lofte:gpc-->">{escape(say(locale, "banner.gpc"))}</p>
<form id="lofte-form" method="post" action="/lofte/consent" data-lofte="form">
{hidden_inputs(published, market, locale, "preferences")}
<fieldset aria-label="{_say(locale, "purposes")}">
{"".join(cards)}</fieldset>
<div class="buttons">
<button id="lofte-reject" data-lofte="reject" name="decision" value="reject">{_say(locale, "reject")}</button>
<button id="lofte-accept" data-lofte="accept" name="decision" value="accept">{_say(locale, "accept")}</button>
<button id="lofte-save" data-lofte="save" name="decision" value="save">{_say(locale, "save")}</button>
</div>
<div class="withdraw"><p>{_say(locale, "withdraw_why")}</p>
<button id="lofte-withdraw" data-lofte="withdraw" name="decision" value="withdraw">
{_say(locale, "withdraw")}</button></div>
</form>
<!--lofte:history-->
<p class="links"><a href="/lofte/cookies/{tail}">{escape(say(locale, "banner.cookies"))}</a>
<a href="/lofte/policy/{tail}">{_say(locale, "policy")}</a></p>
</main>
</body>
</html>
"""
    return page.encode()


def _card(published: Published, market: MarketId, locale: Locale, key: str, model: StorageModel) -> str:
    name = escape(published.word(locale, "purposes", key, "name"))
    why = escape(published.word(locale, "purposes", key, "why"))
    if model is StorageModel.NECESSARY:
        head = f'<div class="name">{name}<span class="always">{_say(locale, "always")}</span></div>'
        why += _necessary(published, locale, key)
    else:
        head = (
            f'<label for="lofte-choice-{key}"><input type="checkbox" id="lofte-choice-{key}" '
            f'data-lofte-purpose="{key}" name="choice.{key}" value="on" '
            f'aria-describedby="lofte-why-{key}"<!--lofte:checked:{key}-->>{name}</label>'
        )
    tables = _vendors(published, market, locale, key) + _cookies(published, locale, key)
    more = f"<details><summary>{_say(locale, 'who')}</summary>{tables}</details>" if tables else ""
    return f'<div class="card" data-lofte-card="{key}">{head}<p id="lofte-why-{key}">{why}</p>{more}</div>\n'


def _necessary(published: Published, locale: Locale, key: str) -> str:
    """Necessary storage carries its reason (EDPB cookie banner task force, type I)."""
    words = published.words.get(locale, {}).get("purposes", {}).get(key, {})
    return f" {escape(words['necessary'])}" if "necessary" in words else ""


def _vendors(published: Published, market: MarketId, locale: Locale, purpose: str) -> str:
    rows = []
    for key in _recipients(published.policy, purpose):
        vendor = published.policy.recipients[key]
        if vendor.markets and market not in vendor.markets:
            continue
        links = [(vendor.privacy_url, "privacy"), (vendor.optout_url, "optout")]
        linked = "<br>".join(
            f'<a href="{escape(url)}" rel="noopener noreferrer">{_say(locale, part)}</a>' for url, part in links if url
        )
        countries = dict.fromkeys([vendor.country, *(transfer.country for transfer in vendor.transfers)])
        places = ", ".join(country(locale, code) for code in countries)
        rows.append(
            _row(
                (
                    ("vendor", escape(vendor.name)),
                    ("country", escape(places)),
                    ("longest", escape(_longest(published.policy, locale, purpose, key)) or "–"),
                    ("links", linked or "–"),
                ),
                locale,
            )
        )
    return _table(("vendor", "country", "longest", "links"), rows, locale)


def _longest(policy: Policy, locale: Locale, purpose: str, vendor: str) -> str:
    """How long the most lasting thing a vendor keeps on the device for a purpose stays there, in words."""
    kept = [
        cookie.lifetime
        for cookie in policy.cookies.values()
        if cookie.purpose == purpose and cookie.provider == vendor and cookie.lifetime
    ]
    return period(locale, max(kept, key=_lasting)) if kept else ""


def _lasting(lifetime: str) -> float:
    if lifetime in ("session", "persistent"):
        return 0 if lifetime == "session" else math.inf
    days, _, time = lifetime.removeprefix("P").partition("T")
    counted = re.findall(r"(\d+)([YMWD])", days), re.findall(r"(\d+)([HMS])", time)
    return sum(int(n) * unit[name] for part, unit in zip(counted, _DAYS, strict=True) for n, name in part)


def _recipients(policy: Policy, purpose: str) -> list[str]:
    by_tag = [tag.recipient for tag in policy.tags.values() if tag.purpose == purpose]
    by_cookie = [cookie.provider for cookie in policy.cookies.values() if cookie.purpose == purpose]
    return [key for key in dict.fromkeys([*by_tag, *by_cookie]) if key != "self"]


def _cookies(published: Published, locale: Locale, purpose: str) -> str:
    rows = [
        _row(
            (
                ("name", f"<code>{escape(cookie.name)}</code>{_from(published, locale, cookie)}"),
                ("use", escape(published.word(locale, "cookies", key, "function"))),
                ("lifetime", escape(period(locale, cookie.lifetime)) if cookie.lifetime else "–"),
            ),
            locale,
        )
        for key, cookie in published.policy.cookies.items()
        if cookie.purpose == purpose
    ]
    return _table(("name", "use", "lifetime"), rows, locale)


def _from(published: Published, locale: Locale, cookie: Cookie) -> str:
    own = cookie.provider == "self"
    provider = _say(locale, "self") if own else escape(published.policy.recipients[cookie.provider].name)
    third = f", {_say(locale, 'party').lower()}" if cookie.party == "third" else ""
    return f'<span class="small">{provider}{third}</span>'


def _row(cells: tuple[tuple[str, str], ...], locale: Locale) -> str:
    inside = "".join(
        f"<td>{cell}</td>" if number == 0 else f'<td data-th="{_say(locale, part)}">{cell}</td>'
        for number, (part, cell) in enumerate(cells)
    )
    return f"<tr>{inside}</tr>"


def _table(parts: tuple[str, ...], rows: list[str], locale: Locale) -> str:
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{_say(locale, part)}</th>' for part in parts)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _say(locale: Locale, part: str) -> str:
    return escape(say(locale, f"banner.preferences.{part}"))
