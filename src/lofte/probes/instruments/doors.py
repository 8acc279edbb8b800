"""Knocks at the console's pages about people: as nobody, and as an account that has a role but nothing besides a password."""

import secrets
from importlib import import_module
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group, User
from django.contrib.sessions.backends.base import SessionBase

from lofte.core import roles
from lofte.probes.instruments.visitor import Visitor
from lofte.rules.controls.data_secured import Doors

_ABOUT_PEOPLE = ("/console/people/", "/console/requests/")
_ABOUT_NOBODY = "/console/"
_BACKEND = "django.contrib.auth.backends.ModelBackend"


def knock(base_url: str) -> Doors:
    """The account exists for these few requests and can never log in: its session is written, its password is unusable."""
    open_to_all = tuple(page for page in _ABOUT_PEOPLE if _opens(Visitor(base_url), page))
    account = User.objects.create(username=f"probe-{secrets.token_hex(8)}", is_staff=True)
    account.set_unusable_password()
    account.save()
    try:
        reaching = [role for role, one in roles.declared().items() if one.grants() - roles.BY_PASSWORD]
        for role in reaching:
            account.groups.add(Group.objects.get_or_create(name=role)[0])
        visitor, session = _logged_in(base_url, account)
        try:
            tried = _opens(visitor, _ABOUT_NOBODY)
            return Doors(tried, open_to_all, tuple(page for page in _ABOUT_PEOPLE if _opens(visitor, page)))
        finally:
            session.flush()
    finally:
        account.delete()


def _logged_in(base_url: str, account: User) -> tuple[Visitor, SessionBase]:
    session: SessionBase = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(account.pk)
    session[BACKEND_SESSION_KEY] = _BACKEND
    session[HASH_SESSION_KEY] = account.get_session_auth_hash()
    session.create()
    visitor = Visitor(base_url)
    visitor.cookies[settings.SESSION_COOKIE_NAME] = session.session_key or ""
    return visitor, session


def _opens(visitor: Visitor, page: str) -> bool:
    """Whether one gets there and not somewhere else first."""
    seen = visitor.get(page)
    return seen.status == 200 and urlsplit(seen.url).path == page
