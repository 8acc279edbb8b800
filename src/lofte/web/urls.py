"""The addresses of the Django doors. What leaves in mails is in `core.links`; a test holds the two together."""

from allauth.account import views as account
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path
from django.views.generic import RedirectView

from lofte.web.site import clicks


def closed(request: HttpRequest) -> HttpResponse:
    """Names allauth asks for that this house does not offer: staff are made at the command line."""
    raise Http404


accounts = [
    path("", RedirectView.as_view(url="/console/")),
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("2fa/", include("allauth.mfa.urls")),
    path("signup/", closed, name="account_signup"),
    path("email/", closed, name="account_email"),
    path("password/set/", closed, name="account_set_password"),
    path("password/reset/", closed, name="account_reset_password"),
]

urlpatterns = [
    path("news/go/<uuid:link>/", clicks.go, name="newsletter-go"),
    path("news/<str:market>/<str:locale>/", include("lofte.web.site.urls")),
    path("events/<str:market>/<str:locale>/", include("lofte.web.events.urls")),
    path("forms/<str:market>/<str:locale>/", include("lofte.web.forms.urls")),
    path("materials/<str:market>/<str:locale>/", include("lofte.web.materials.urls")),
    path("my/<str:market>/<str:locale>/", include("lofte.web.portal.urls")),
    path("api/", include("lofte.web.api.urls")),
    path("console/", include("lofte.web.console.urls")),
    path("accounts/", include(accounts)),
]

handler404 = "lofte.web.problems.not_found"
handler403 = "lofte.web.problems.forbidden"
handler400 = "lofte.web.problems.bad_request"
handler500 = "lofte.web.problems.failed"
