"""Which of the five languages the console speaks: the chosen one, else the browser's, else British English."""

from django.http import HttpRequest
from django.utils.translation.trans_real import parse_accept_lang_header

from lofte.rules.catalogue import LOCALES

CHOSEN = "console_locale"
"""Where the session keeps a choice: no cookie beyond the session's own, and none of the site's."""

_BY_LANGUAGE = {"sv": "sv", "nb": "nb", "no": "nb", "nn": "nb", "fi": "fi", "en-us": "en-US", "en": "en-GB"}


def console_locale(request: HttpRequest) -> str:
    chosen = request.session.get(CHOSEN, "") if is_console(request) and hasattr(request, "session") else ""
    if chosen in LOCALES:
        return str(chosen)
    for tag, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        found = _BY_LANGUAGE.get(tag) or _BY_LANGUAGE.get(tag.split("-")[0])
        if found:
            return found
    return "en-GB"


def is_console(request: HttpRequest) -> bool:
    """Staff pages and their login; everything else belongs to a market and speaks its language."""
    return request.path.startswith(("/console/", "/accounts/"))
