"""The copy of everything in the form a person chooses: a page to read, a data file, a table, a card, or all in one archive."""

import json
import zipfile
from tempfile import SpooledTemporaryFile
from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from lofte.core import evidence, links
from lofte.features.register import vcard
from lofte.features.register.sheets import VCARD
from lofte.features.rights import copies, package, verbs
from lofte.features.rights.reads import Copy
from lofte.kernel.problems import Problem
from lofte.rules.catalogue import say
from lofte.web.pages import Edition, page
from lofte.web.person_words import in_words, spoken
from lofte.web.portal.inquiries import inquiry_in_words
from lofte.web.portal.request_words import request_in_words
from lofte.web.portal.session import for_a_person, fresh
from lofte.web.receipts import attachment

_KINDS = {
    "html": "text/html; charset=utf-8", "json": "application/json", "csv": "text/csv; charset=utf-8",
    "vcf": "text/vcard; charset=utf-8",
}  # fmt: skip
_IN_MEMORY = 2_000_000  # bytes of an archive; more goes to a file of the moment
_RIGHT: dict[str, Any] = {"html": "access", "zip": "access"}


@require_safe
@for_a_person
def choose(request: HttpRequest, here: Edition, grant: verbs.Grant) -> HttpResponse:
    return page(request, "portal/copy_choice.html", here, spot="copy")


@require_safe
@for_a_person
@fresh("download", "portal-copy")
def download(request: HttpRequest, here: Edition, grant: verbs.Grant, form: str) -> HttpResponseBase:
    if form not in (*_KINDS, "zip"):
        raise Http404
    made = copies.take(grant.person_id, _RIGHT.get(form, "portability"), form)
    name = here.say("portal.file")
    if form == "zip":
        return FileResponse(_archive(here, made, name), as_attachment=True, filename=f"{name}.zip")
    return attachment(_written(here, made, form), _KINDS[form], f"{name}.{form}")


@require_safe
def schema(request: HttpRequest, market: str, locale: str) -> HttpResponse:
    """The JSON Schema of the data file, for whoever wants to read one by machine."""
    body = json.dumps(package.schema(), ensure_ascii=False, indent=1).encode()
    return HttpResponse(body, content_type="application/schema+json")


def _written(here: Edition, made: Copy, form: str) -> bytes:
    match form:
        case "html":
            return readable(here, made).encode()
        case "json":
            return json.dumps(made.as_json(), ensure_ascii=False, indent=1).encode()
        case "csv":
            return made.as_csv().encode()
        case _:
            values = {item.field: item.value for item in sorted(made.seen.holdings, key=lambda item: item.since)}
            named = {name: values[field] for name, field in VCARD.items() if field in values}
            return bytes(vcard.write(made.seen.person_id, named), "utf-8")


def _archive(here: Edition, made: Copy, name: str) -> SpooledTemporaryFile[bytes]:
    """Everything at once, the files that came with letters and calls included."""
    out = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # FileResponse closes it
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for form in _KINDS:
            archive.writestr(f"{name}.{form}", _written(here, made, form))
        archive.writestr("copy.schema.json", json.dumps(package.schema(), ensure_ascii=False, indent=1))
        for file, content in copies.attachments(made):
            archive.writestr(f"{say(here.locale, 'copy.files_folder')}/{file}", content)
    out.seek(0)
    return out


# --- the page to read -----------------------------------------------------------------------------------------------


def readable(here: Edition, made: Copy) -> str:
    """One page that needs nothing else: to read, to keep and to print."""
    seen = made.seen
    words = in_words(here, seen, made.made_at)
    names = [item.value for item in seen.holdings if item.field == "name"]
    context = {
        "edition": here, "locale": here.locale, "now": made.made_at, "data": words, "name": names[-1] if names else "",
        "made_at": made.made_at, "version": here.published.version,
        "requests": [request_in_words(here, each) for each in seen.requests],
        "inquiries": [inquiry_in_words(here, each, is_copy=True) for each in seen.inquiries],
        "consents": _consents(here, made), "systems": _systems(here, made), "recipients": _recipients(here, made),
        "own_looks": len(words["own_looks"]), "rows": sum(each.rows for each in made.counted),
        "restrictions": seen.restrictions, "merged": seen.merged,
        "signals": [{"name": spoken(here, "copy.signal", each.kind), "at": each.at} for each in seen.signals],
        "entries": [{"index": each.index, "at": each.at, "what": spoken(here, "copy.entry", each.kind)} for each in seen.entries],
        "key": _key(), "portal_link": links.link("portal", here.market, here.locale),
    }  # fmt: skip
    return render_to_string("lofte/portal/copy.html", context)


def _consents(here: Edition, made: Copy) -> list[dict[str, Any]]:
    """Every event, the latest first, with the words that were shown."""
    return [
        {
            "purpose": _purpose(here, each.purpose),
            "what": spoken(here, "portal.did", f"{each.action}-{each.method}", each.action),
            "granted": each.action == "granted",
            "at": each.at,
            "words": each.words,
            "version": _version(here, each.publication),
            "index": each.evidence_index,
            "wording": each.wording,
        }
        for each in sorted(made.seen.consents, key=lambda item: item.at, reverse=True)
    ]


def _version(here: Edition, digest: str) -> str:
    return here.published.version if digest == here.published.digest else digest[:12]


def _purpose(here: Edition, purpose: str) -> str:
    try:
        return here.word("purposes", purpose, "name")
    except Problem:
        return purpose


def _systems(here: Edition, made: Copy) -> list[dict[str, Any]]:
    declared = here.published.policy.systems
    return [
        {
            "name": declared[each.system].name if each.system in declared else each.system,
            "is_complete": each.is_complete,
            "records": [
                {
                    "where": record.where,
                    "values": [{"name": value.name, "value": value.value} for value in record.values],
                }
                for record in each.records
            ],
        }
        for each in made.returned
    ]


def _recipients(here: Edition, made: Copy) -> list[dict[str, Any]]:
    """Who may receive data, by the policy in force (GDPR 15(1)(c), 15(2))."""
    return [
        {
            "name": each.name,
            "role": say(here.locale, f"policy.role.{each.role}"),
            "country": say(here.locale, f"countries.{each.country}"),
            "transfers": [
                {
                    "country": say(here.locale, f"countries.{transfer.country}"),
                    "tool": say(here.locale, f"policy.tool.{transfer.tool.value}"),
                }
                for transfer in each.transfers
            ],
        }
        for each in here.published.policy.recipients.values()
        if not each.markets or here.market in each.markets
    ]


def _key() -> str:
    """The key that receipts are verified with; empty where this process has no log."""
    return evidence.log().vkey() if evidence.has_log() else ""
