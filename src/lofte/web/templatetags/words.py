"""Words, dates and authorities in templates, in the locale the page is in (`locale` in the context).

`{% say "portal.title" name=x %}` fills slots as plain text; Django escapes the whole.
"""

from datetime import date, datetime
from typing import Any

from django import forms, template
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from lofte.features.outreach import writing
from lofte.kernel.instants import rfc3339
from lofte.rules.catalogue import room_words
from lofte.rules.catalogue import say as words
from lofte.web import calendar
from lofte.web.pages import Authority, authority_of

register = template.Library()


@register.simple_tag(takes_context=True)
def say(context: template.Context, key: str, **slots: Any) -> str:
    return words(context["locale"], key, **slots)


@register.simple_tag(takes_context=True)
def day(context: template.Context, at: date | datetime) -> SafeString:
    return format_html('<time datetime="{}">{}</time>', at.isoformat()[:10], calendar.day(context["locale"], at))


@register.simple_tag(takes_context=True)
def plain_day(context: template.Context, at: date | datetime) -> str:
    """The day as bare words, for letters and inside a sentence."""
    return calendar.day(context["locale"], at)


@register.simple_tag(takes_context=True)
def moment(context: template.Context, at: datetime) -> SafeString:
    return format_html('<time datetime="{}">{}</time>', rfc3339(at), calendar.moment(context["locale"], at))


@register.simple_tag(takes_context=True)
def plain_moment(context: template.Context, at: datetime) -> str:
    """The day and the time of day as bare words, to stand inside a sentence."""
    return calendar.moment(context["locale"], at)


@register.simple_tag(takes_context=True)
def ago(context: template.Context, at: datetime) -> SafeString:
    """How long since, in words, with the exact moment on hover."""
    locale = context["locale"]
    said = calendar.ago(locale, at, context["now"])
    return format_html('<time datetime="{}" title="{}">{}</time>', rfc3339(at), calendar.moment(locale, at), said)


@register.simple_tag(takes_context=True)
def authority(context: template.Context, market: str) -> Authority | None:
    """Where a person of this market complains, for the foot of a letter."""
    return authority_of(market, context["locale"])


@register.filter
def clean(html: str) -> SafeString:
    """A letter's HTML with nothing but text markup and our own pictures: any other picture tells somebody who opened it."""
    return mark_safe(writing.clean(html, writing.own_hosts()))  # noqa: S308  # made safe there


@register.inclusion_tag("lofte/parts/form_errors.html", takes_context=True)
def form_errors(context: template.Context, form: forms.Form) -> dict[str, Any]:
    """What is wrong with a login form, in our words by each error's code; in Django's where we have none."""
    locale = context["locale"]
    found = list(dict.fromkeys(_told(locale, error) for errors in form.errors.as_data().values() for error in errors))
    return {"locale": locale, "errors": found}


def _told(locale: str, error: ValidationError) -> str:
    key = f"login_error.{error.code}"
    return words(locale, f"console.{key}") if key in room_words(locale, "console") else _plain(error)


def _plain(error: ValidationError) -> str:
    return " ".join(error.messages)
