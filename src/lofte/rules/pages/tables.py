"""The lists drawn from the declarations: purposes, recipients, transfers, cookies, balancing tests, controllers.

Each is a function of an edition and returns finished HTML. A table's cells carry their heading in ``data-label``,
so that the style sheet can stack them on a narrow screen.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from html import escape

from lofte.rules.checks.transfers import needs_tool
from lofte.rules.model import Cookie, StorageModel, TransferTool
from lofte.rules.packs import law_pack
from lofte.rules.pages.edition import Edition
from lofte.rules.values import country, day, joined, period, phone_href


def draw(edition: Edition, name: str) -> str:
    """A value that stands alone on its line. Raises KeyError for an unknown name."""
    return _DRAWN[name](edition)


def purposes(edition: Edition) -> str:
    heads = [edition.say(f"table.{name}") for name in ("purpose", "basis", "data", "kept")]
    rows = []
    for key, purpose in edition.policy.purposes.items():
        why = edition.word("purposes", key, "why")
        cells = [
            f"<strong>{edition.word('purposes', key, 'name')}</strong><br>{why}",
            edition.say(f"basis.{purpose.basis.value}"),
            field_names(edition, purpose.fields) or edition.say("none"),
            _kept(edition, key),
        ]
        rows.append(cells)
    return table(edition.say("table.purposes"), heads, rows)


def field_names(edition: Edition, fields: Sequence[str]) -> str:
    """Labels as a list in running text: only the first keeps its capital, abbreviations theirs."""
    labels = [edition.published.word(edition.locale, "fields", field) for field in fields]
    rest = [label if label[1:2].isupper() else label[:1].lower() + label[1:] for label in labels[1:]]
    return escape(joined(edition.locale, labels[:1] + rest))


def _kept(edition: Edition, key: str) -> str:
    purpose = edition.policy.purposes[key]
    if purpose.scope == "browser":
        return f'<a href="{edition.path("cookies")}">{edition.say("table.kept_browser")}</a>'
    named = [purpose.clock] if purpose.clock else []
    named = named or [item.clock for item in edition.policy.relations.values() if key in item.purposes]
    return "<br>".join(kept_words(edition, clock) for clock in dict.fromkeys(named))


def kept_words(edition: Edition, clock_id: str) -> str:
    """A clock in a table: "24 months without a sign of interest"."""
    clock = edition.policy.clocks[clock_id]
    name = edition.word("clocks", clock_id, "name")
    return f"{escape(period(edition.locale, clock.period))} {name}" if clock.period else name


def recipients(edition: Edition) -> str:
    heads = [edition.say(f"table.{name}") for name in ("recipient", "role", "country", "why")]
    rows = [
        [
            f"<strong>{escape(recipient.name)}</strong>",
            edition.say(f"role.{recipient.role}"),
            escape(country(edition.locale, recipient.country)),
            edition.word("recipients", key, "why"),
        ]
        for key, recipient in edition.recipients()
    ]
    return table(edition.say("table.recipients"), heads, rows)


def transfers(edition: Edition) -> str:
    pack = law_pack(edition.market.law)
    heads = [edition.say(f"table.{name}") for name in ("recipient", "country", "tool", "reference")]
    rows = []
    for _, recipient in edition.recipients():
        for transfer in recipient.transfers:
            if needs_tool(pack, transfer.country):
                ends = transfer.valid_to
                until = edition.say("table.until", day=day(edition.locale, date.fromisoformat(ends))) if ends else ""
                reference = escape(transfer.reference) + (f"<br>{until}" if until else "")
                rows.append(
                    [
                        f"<strong>{escape(recipient.name)}</strong>",
                        escape(country(edition.locale, transfer.country)),
                        _tool(edition, transfer.tool),
                        reference,
                    ]
                )
    if not rows:
        return f'<p class="none">{edition.say("table.no_transfers")}</p>'
    return table(edition.say("table.transfers"), heads, rows)


def _tool(edition: Edition, tool: TransferTool) -> str:
    return edition.say(f"tool.{tool.value}")


def balancing(edition: Edition) -> str:
    tests = []
    for key, purpose in edition.policy.purposes.items():
        if purpose.balancing is None:
            continue
        steps = "".join(
            f"<dt>{edition.say(f'balancing.{step}')}</dt><dd>{edition.word('purposes', key, step)}</dd>"
            for step in ("interest", "necessity", "balance")
        )
        reviewed = edition.say(
            "balancing.reviewed", day=day(edition.locale, date.fromisoformat(purpose.balancing.reviewed))
        )
        name = edition.word("purposes", key, "name")
        objection = "" if purpose.scope == "browser" else object_link(edition, name)
        tests.append(
            f'<section class="test"><h4>{name}</h4><dl>{steps}</dl>'
            f'<p class="fine">{reviewed}</p>{objection}</section>'
        )  # fmt: skip
    return f'<div class="tests">{"".join(tests)}</div>'


def object_link(edition: Edition, about: str = "") -> str:
    """The way to object, one click from the words it is about (GDPR 21(4))."""
    label = f' aria-label="{edition.say("promises.object")}: {about}"' if about else ""
    return f'<p><a class="button" href="{edition.portal}"{label}>{edition.say("promises.object")}</a></p>'


def controllers(edition: Edition) -> str:
    heads = [edition.say(f"controllers.{name}") for name in ("market", "name", "reach")]
    rows = []
    for market in edition.policy.markets.values():
        controller = edition.policy.controllers[market.controller]
        rows.append(
            [
                escape(country(edition.locale, market.country)),
                f"<strong>{escape(controller.name)}</strong>",
                f'<a href="mailto:{escape(controller.email)}">{escape(controller.email)}</a><br>'
                f'<a href="{phone_href(controller.phone)}">{escape(controller.phone)}</a><br>'
                + ", ".join(map(escape, controller.post)),
            ]
        )
    return table(edition.say("nav.editions"), heads, rows)


def cookies(edition: Edition, heading_level: int = 3) -> str:
    """The list split by party, each part in the order of the declaration."""
    parts = []
    for party in ("first", "third"):
        items = [(key, cookie) for key, cookie in edition.policy.cookies.items() if cookie.party == party]
        if not items:
            continue
        count = edition.say("cookies.count", n=len(items))
        level = f"h{heading_level}"
        heading = f'<{level} id="cookies-{party}">{edition.say(f"cookies.{party}")} <small>{count}</small></{level}>'
        heads = [
            edition.say(f"table.{name}") for name in ("name", "function", "provider", "purpose", "lifetime", "data")
        ]
        rows = [cookie_cells(edition, key, cookie) for key, cookie in items]
        parts.append(heading + table(edition.say(f"cookies.{party}"), heads, rows, "cookies"))
    return f'<div class="cookie-list">{"".join(parts)}</div>'


def cookie_cells(edition: Edition, key: str, cookie: Cookie) -> list[str]:
    model = edition.policy.browser_purposes(edition.market_id).get(cookie.purpose)
    kind = (
        ""
        if cookie.storage == "cookie"
        else f'<br><span class="fine">{edition.say(f"storage.{cookie.storage}")}</span>'
    )
    host = f'<br><span class="fine">{escape(cookie.host)}</span>' if cookie.host else ""
    return [
        f"<code>{escape(cookie.name)}</code>{kind}",
        edition.word("cookies", key, "function"),
        escape(provider_name(edition, cookie)) + host,
        f'{edition.word("purposes", cookie.purpose, "name")}<br><span class="fine">{_asked(edition, model)}</span>',
        escape(period(edition.locale, cookie.lifetime or "session")),
        field_names(edition, cookie.data) or edition.say("none"),
    ]


def provider_name(edition: Edition, cookie: Cookie) -> str:
    if cookie.provider == "self":
        return edition.policy.organisation.name
    return edition.policy.recipients[cookie.provider].name


_ASKED = {
    StorageModel.NECESSARY: "cookies.necessary",
    StorageModel.OPT_IN: "cookies.asked",
    StorageModel.EXEMPT_WITH_OBJECTION: "cookies.exempt",
    StorageModel.OPT_OUT: "cookies.opt_out",
}


def _asked(edition: Edition, model: StorageModel | None) -> str:
    return edition.say(_ASKED[model]) if model else ""


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "") -> str:
    """A table with a caption; the first cell of a row is its heading. Cells are finished HTML, heads escaped text."""
    head = "".join(f'<th scope="col">{text}</th>' for text in heads)
    body = "".join(
        f'<tr><th scope="row" data-label="{heads[0]}">{row[0]}</th>'
        + "".join(
            f'<td data-label="{label}"><div>{cell}</div></td>' for label, cell in zip(heads[1:], row[1:], strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="table {kind}" role="region" aria-label="{caption}" tabindex="0">'
        f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


_DRAWN: Mapping[str, Callable[[Edition], str]] = {
    "table.cookies": cookies,
    "table.recipients": recipients,
    "table.purposes": purposes,
    "table.transfers": transfers,
    "balancing": balancing,
    "controllers": controllers,
}
