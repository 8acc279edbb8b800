"""The cookie list as a page of its own: by party, with what each item does, for whom, how long and with which data."""

from lofte.rules.model import StorageModel
from lofte.rules.pages.edition import Edition
from lofte.rules.pages.layout import page
from lofte.rules.pages.tables import cookies


def cookies_page(edition: Edition) -> bytes:
    title = edition.say("cookies.title")
    updated = edition.say("updated", month=edition.values["last_updated"].text)
    body = (
        f'<article class="text"><h1>{title}</h1><p class="lead">{edition.say("cookies.lead")}</p>'
        f'<p class="fine updated">{updated}</p>\n{cookies(edition, heading_level=2)}\n{_necessary(edition)}'
        f'<p><a class="button" href="{edition.path("preferences")}">{edition.say("promises.choices")}</a></p></article>'
    )
    return page(edition, "cookies", title, body)


def _necessary(edition: Edition) -> str:
    """Why each necessary purpose is necessary: unexplained storage is not necessary (EDPB Taskforce, type I)."""
    models = edition.policy.browser_purposes(edition.market_id)
    reasons = "".join(
        f"<dt>{edition.word('purposes', key, 'name')}</dt><dd>{edition.word('purposes', key, 'necessary')}</dd>"
        for key, model in models.items()
        if model is StorageModel.NECESSARY
    )
    return f"<h2>{edition.say('cookies.why_necessary')}</h2><dl>{reasons}</dl>\n" if reasons else ""
