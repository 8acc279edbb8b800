"""Forms: each asks for what its purpose uses, can be answered, and consent is asked for in words of its own."""

from collections.abc import Iterator

from lofte.kernel.problems import Problem
from lofte.rules.checks.case import Case
from lofte.rules.codes import fault
from lofte.rules.model import Basis, Form

_WITH_FILES = ("inquiry", "application", "supplier", "partner")
_REACHES = {"email": "email", "sms": "phone", "phone": "phone"}
_LONGEST_NAME = 64  # characters of what a consent remembers of the words that were shown


def problems(case: Case) -> Iterator[Problem]:
    for key, form in case.policy.forms.items():
        yield from _fields(case, key, form)
        yield from _boxes(case, key, form)
        yield from _kind(case, key, form)


def _fields(case: Case, key: str, form: Form) -> Iterator[Problem]:
    purpose = case.policy.purposes.get(form.purpose)
    if purpose is None:
        return
    if purpose.scope == "browser":
        detail = f"`{form.purpose}` is about the browser"
        place = case.place("forms", key, "purpose")
        yield fault("form.browser-purpose", detail, place, expected="a purpose of scope `person`")
        return
    for index, asked in enumerate(form.fields):
        place = case.place("forms", key, "fields", index, "field")
        if asked.field in [each.field for each in form.fields[:index]]:
            yield fault("form.doubled", f"`{key}` asks for `{asked.field}` twice", place)
        if asked.field not in purpose.fields and case.is_known("fields", asked.field):
            detail = f"`{key}` asks for `{asked.field}`, which `{form.purpose}` does not use"
            yield fault("form.undeclared-field", detail, place, expected=f"one of {', '.join(purpose.fields)}")


def _boxes(case: Case, key: str, form: Form) -> Iterator[Problem]:
    for index, box in enumerate(form.boxes):
        place = case.place("forms", key, "boxes", index)
        name = f"{box.purpose}-{box.channel}"
        purpose = case.policy.purposes.get(box.purpose)
        if purpose is None:
            if not case.is_known("purposes", box.purpose):
                consents = [each for each, one in case.policy.purposes.items() if one.basis is Basis.CONSENT]
                detail = f"`{box.purpose}` is not declared in purposes"
                yield fault("policy.dangling-reference", detail, place, expected=f"one of {', '.join(consents)}")
            continue
        if purpose.basis is not Basis.CONSENT or purpose.scope != "person":
            detail = f"`{key}` asks for a yes to `{box.purpose}`, which does not rest on the consent of a person"
            yield fault("form.box-without-consent", detail, place, expected="a purpose of scope `person` on consent")
        if box in form.boxes[:index] or (box.purpose == form.purpose and box.channel == "email"):
            yield fault("form.doubled", f"`{key}` asks for a yes to `{name}` twice", place)
        wanted = _REACHES.get(box.channel)
        if wanted and wanted not in [each.field for each in form.fields]:
            detail = f"`{key}` offers {box.channel} and asks for no `{wanted}`"
            yield fault("form.box-without-address", detail, place, expected=f"the field `{wanted}`")
        if len(f"box.{key}.{name}") > _LONGEST_NAME:
            yield fault("form.long-name", f"`{key}` and `{name}` are too long together", place)


def _kind(case: Case, key: str, form: Form) -> Iterator[Problem]:
    if form.kind is None:
        yield fault("form.no-kind", f"`{key}` has no kind", case.place("forms", key), expected="a `kind`")
        return
    if "email" in case.policy.fields and not any(each.field == "email" and each.required for each in form.fields):
        detail = f"`{key}` can be sent without an address"
        yield fault(
            "form.no-address", detail, case.place("forms", key, "fields"), expected="the field `email`, required"
        )
    if form.files and form.kind not in _WITH_FILES:
        detail = f"`{key}` takes files, and nobody reads the files of a form of kind {form.kind}"
        yield fault("form.files-unread", detail, case.place("forms", key, "files"), expected="0")
    purpose = case.policy.purposes.get(form.purpose)
    if form.kind == "newsletter" and purpose and purpose.basis is not Basis.CONSENT:
        detail = f"`{key}` signs people up, and `{form.purpose}` does not rest on consent"
        yield fault("form.newsletter-without-consent", detail, case.place("forms", key, "purpose"))
