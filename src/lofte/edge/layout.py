"""The few pages the edge writes itself: problems, evidence, versions. Plain HTML, one style sheet."""

from collections.abc import Iterable
from html import escape

from lofte.kernel.instants import from_rfc3339
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import say


def page(locale: str, title: str, body: str) -> bytes:
    """``body`` is finished HTML; ``title`` is text."""
    return (
        f'<!doctype html>\n<html lang="{locale}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="robots" content="noindex">\n'
        f"<title>{escape(title)}</title>\n"
        '<link rel="stylesheet" href="/lofte/static/edge.css">\n</head>\n<body>\n<main>\n'
        f"<h1>{escape(title)}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    ).encode()


def refusal_page(locale: str, what: Problem, fresh: str = "") -> bytes:
    """A refusal for a person: what happened, what to do, and the link that does it."""
    link = f'<p><a class="button" href="{escape(fresh)}">{told(locale, "problem.fresh")}</a></p>' if fresh else ""
    body = f"<p>{escape(what.detail)}</p>\n<p>{escape(what.way_out)}</p>\n{link}"
    return page(locale, say(locale, "edge.problem.title"), body)


def problem_page(locale: str, what: Problem) -> bytes:
    """Anything else that cannot be shown."""
    known = "missing" if what.status == 404 else "unavailable"
    body = f"<p>{told(locale, f'problem.{known}')}</p>"
    return page(locale, say(locale, f"edge.problem.{known}_title"), body)


def rows(pairs: Iterable[tuple[str, str]]) -> str:
    """A description list of text pairs."""
    inside = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in pairs)
    return f"<dl>{inside}</dl>"


def moment(locale: str, at: str) -> str:
    """An RFC 3339 instant as people write it, UTC stated: ``22 november 2026 kl. 12.36 UTC``."""
    instant = from_rfc3339(at)
    day = say(locale, f"units.date.m{instant.month:02}", day=instant.day, year=instant.year)
    return say(locale, "edge.moment", day=day, hour=f"{instant.hour:02}", minute=f"{instant.minute:02}")


def told(locale: str, key: str, **slots: object) -> str:
    """The words of the edge as HTML: `told("sv", "versions.lead")`."""
    return escape(say(locale, f"edge.{key}", **slots))
