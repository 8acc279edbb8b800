"""Remembers in the session that its owner has just shown a second factor, and when they signed in."""

from typing import Any

from allauth.mfa.signals import authenticator_added, authenticator_used
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest

from lofte.core import clock
from lofte.core.accounts import SIGNED_IN_AT
from lofte.web.console.staff import SHOWN_BY


def _signed_in(sender: Any, request: HttpRequest, user: Any, **rest: Any) -> None:
    request.session[SIGNED_IN_AT] = int(clock.now().timestamp())


def _shown(sender: Any, request: HttpRequest, user: Any, **rest: Any) -> None:
    request.session[SHOWN_BY] = user.pk


def listen() -> None:
    user_logged_in.connect(_signed_in, dispatch_uid="lofte.signed-in")
    authenticator_used.connect(_shown, dispatch_uid="lofte.factor-used")
    authenticator_added.connect(_shown, dispatch_uid="lofte.factor-added")
