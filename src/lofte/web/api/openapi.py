"""`GET /api/openapi.json`: the doors for programs as an OpenAPI 3.1 document, with every form there is right now."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from lofte.core import publication
from lofte.core.decisions import Act
from lofte.features.outreach.forms import files, intake, specs
from lofte.features.outreach.forms.specs import FormSpec
from lofte.web.api import forms
from lofte.web.pages import Edition

_PROBLEM = "application/problem+json"


@forms.door("GET")
def document(request: HttpRequest) -> HttpResponse:
    return JsonResponse(made())


def made() -> dict[str, Any]:
    """The whole document. Public: it says no more than the forms themselves do."""
    published = publication.current()
    paths: dict[str, Any] = {"/api/decide": {"post": _decide()}}
    for market, declared in published.policy.markets.items():
        for locale in declared.locales:
            here = Edition(market, locale, published)
            paths[f"/api/forms/{market.lower()}/{locale}/"] = {"get": _list(here)}
            for spec in specs.every():
                if market in spec.markets and intake.is_taken(spec.kind):
                    paths[forms.address(here, spec.id)] = _form(here, spec)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{published.policy.organisation.name}: Löfte", "version": published.version,
            "description": "Forms people send in, and the question whether something may be done with their data.",
        },
        "servers": [{"url": settings.LOFTE_ORIGIN}],
        "paths": paths,
        "components": {"schemas": _SCHEMAS, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }  # fmt: skip


def _form(here: Edition, spec: FormSpec) -> dict[str, Any]:
    said = specs.words(spec, here.market, here.locale)
    name = f"{here.market}-{here.locale}-{spec.id}"
    sent = _sent(spec)
    content: dict[str, Any] = {"application/json": {"schema": sent}}
    if spec.files:
        content["multipart/form-data"] = {"schema": _multipart(spec, [each.key for each in said.boxes])}
    return {
        "get": {
            "operationId": f"show-{name}", "tags": [f"{here.market} {here.locale}"], "summary": said.name, "description": said.lead,
            "responses": {"200": _answer("What the form asks and says.", "Form"), "404": _refused("There is no such form.")},
        },
        "post": {
            "operationId": f"send-{name}", "tags": [f"{here.market} {here.locale}"], "summary": said.name,
            "parameters": [
                {
                    "name": "Idempotency-Key", "in": "header", "required": False, "schema": {"type": "string", "maxLength": 64},
                    "description": "The same form sent again with the same key counts once.",
                }
            ],
            "requestBody": {"required": True, "content": content},
            "responses": {
                "202": _answer("Taken in. A ticked box counts once the person has confirmed it by mail.", "Taken"),
                "403": _refused("Sent by a page of another site."),
                "409": _refused("The form says something else now: get it anew."),
                "422": _refused("Something is not as the form asks, or the form was sent too soon."),
                "429": _refused("Too many forms from here."),
            },
        },
    }  # fmt: skip


def _sent(spec: FormSpec) -> dict[str, Any]:
    boxes = [{"purpose": each.purpose, "channel": each.channel} for each in spec.boxes]
    values = {
        "type": "object", "additionalProperties": False,
        "properties": {each.field: _value(each.field) for each in spec.fields},
        "required": [each.field for each in spec.fields if each.required],
    }  # fmt: skip
    properties: dict[str, Any] = {
        "values": values,
        "wording": {"type": "string", "description": "`wording` of the form as it was shown."},
        "boxes": {
            "type": "array",
            "items": {"$ref": "#/components/schemas/Box"},
            "examples": [boxes] if boxes else [[]],
        },
        "page": {"type": "string", "description": "The path of the page the form stood on.", "maxLength": 300},
        "stamp": {"type": "string", "description": "`stamp` of the form as it was shown; a server may leave it out."},
    }
    required = ["values", "wording"]
    if spec.kind in specs.ABOUT:
        properties["about"] = {"type": "string", "format": "uuid", "description": f"The {spec.kind} it is about."}
        required.append("about")
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": required}


def _multipart(spec: FormSpec, boxes: list[str]) -> dict[str, Any]:
    """As an HTML form sends it: fields by name, boxes as `box.<purpose>-<channel>`, and the files."""
    properties: dict[str, Any] = {each.field: _value(each.field) for each in spec.fields}
    properties |= {f"box.{each}": {"type": "string", "enum": ["on"]} for each in boxes}
    properties |= {name: {"type": "string"} for name in ("wording", "page", "stamp", "key")}
    properties["files"] = {
        "type": "array", "maxItems": spec.files, "items": {"type": "string", "format": "binary"},
        "description": f"{', '.join(sorted(files.KINDS))}; at most {files.LARGEST} bytes each",
    }  # fmt: skip
    required = [*(each.field for each in spec.fields if each.required), "wording"]
    return {"type": "object", "properties": properties, "required": required}


def _value(field: str) -> dict[str, Any]:
    kind = publication.current().policy.fields[field].kind
    found: dict[str, Any] = {"type": "string", "maxLength": intake.longest(field)}
    if kind in ("email", "date"):
        found["format"] = kind
    return found


def _list(here: Edition) -> dict[str, Any]:
    return {
        "operationId": f"list-{here.market}-{here.locale}", "tags": [f"{here.market} {here.locale}"],
        "summary": "The forms there are",
        "responses": {"200": _answer("The forms of this market in this language.", "Forms"), "404": _refused("No such market.")},
    }  # fmt: skip


def _decide() -> dict[str, Any]:
    return {
        "operationId": "decide", "tags": ["decisions"], "summary": "May I use, send or share this for that?",
        "security": [{"token": []}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Question"}}}},
        "responses": {
            "200": _answer("Yes or no, with the reason and the promise it rests on.", "Decision"),
            "401": _refused("No token, or one that is not known."),
            "422": _refused("The question is not as described."),
            "429": _refused("Too many questions."),
        },
    }  # fmt: skip


def _answer(description: str, schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": description, "content": content}


def _refused(description: str) -> dict[str, Any]:
    return {"description": description, "content": {_PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


_TEXT = {"type": "string"}
_TRUTH = {"type": "boolean"}


def _texts(*names: str) -> dict[str, Any]:
    return dict.fromkeys(names, _TEXT)


def _object(properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties) if required is None else required}


_SCHEMAS: dict[str, Any] = {
    "Box": _object(_texts("purpose", "channel")),
    "Problem": _object(
        {
            **_texts("type", "title", "detail"),
            "status": {"type": "integer"},
            "errors": {"type": "array", "items": _object(_texts("field", "code", "detail"))},
        },
        ["type", "title", "status"],
    ),
    "Taken": _object(_texts("title", "lead", "reference", "confirm"), ["title", "lead", "reference"]),
    "Forms": _object({"forms": {"type": "array", "items": _object(_texts("id", "kind", "name", "url"))}}),
    "Form": _object(
        {
            **_texts(
                "id", "kind", "market", "locale", "version", "wording", "stamp", "name", "lead", "submit", "policy_url"
            ),
            "fields": {
                "type": "array",
                "items": _object(
                    {
                        **_texts("name", "label", "type", "autocomplete"),
                        "required": _TRUTH,
                        "max_length": {"type": "integer"},
                    }
                ),
            },
            "boxes": {
                "type": "array",
                "items": _object(
                    {**_texts("purpose", "channel", "text"), "required": _TRUTH, "ticked": {"const": False}}
                ),
            },
            "files": _object(
                {
                    "most": {"type": "integer"},
                    "kinds": {"type": "array", "items": _TEXT},
                    "largest_bytes": {"type": "integer"},
                }
            ),
            "purpose": _object(_texts("id", "name", "why", "basis", "kept")),
            "controller": _object(_texts("name", "email")),
        }
    ),
    "Question": _object(
        {
            "act": {"type": "string", "enum": [each.value for each in Act]},
            "purpose": _TEXT,
            "fields": {"type": "array", "items": _TEXT, "minItems": 1},
            **_texts("recipient", "country", "market"),
            "person": {"type": "object", "properties": _texts("id", "field", "value", "country")},
        },
        ["act", "purpose", "fields"],
    ),
    "Decision": _object(
        {
            "allowed": _TRUTH,
            **_texts("reason", "said", "promise", "promised", "law", "policy", "at"),
            "evidence": {"type": ["integer", "null"]},
        },
        ["allowed", "reason"],
    ),
}
