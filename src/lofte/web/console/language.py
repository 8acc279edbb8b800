"""Which of the five languages the console speaks: the chosen one, else the browser's, else British English."""

from django.http import HttpRequest
from django.utils.translation.trans_real import parse_accept_lang_header

from lofte.rules.catalogue import LOCALES

COOKIE = "lofte_locale"  # declared as functional in the example policy (P35)
COOKIE_AGE_S = 365 * 24 * 3600
_BY_LANGUAGE = {"sv": "sv", "nb": "nb", "no": "nb", "nn": "nb", "fi": "fi", "en-us": "en-US", "en": "en-GB"}


def console_locale(request: HttpRequest) -> str:
    chosen = request.COOKIES.get(COOKIE, "")
    if chosen in LOCALES:
        return chosen
    for tag, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        found = _BY_LANGUAGE.get(tag) or _BY_LANGUAGE.get(tag.split("-")[0])
        if found:
            return found
    return "en-GB"
