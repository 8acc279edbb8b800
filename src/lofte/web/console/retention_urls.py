from django.urls import path

from lofte.web.console import retention

urlpatterns = [
    path("retention/", retention.forecast, name="console-retention"),
    path("retention/holds/", retention.held, name="console-holds"),
    path("retention/holds/new/", retention.place, name="console-hold-new"),
    path("retention/holds/<uuid:hold>/", retention.one, name="console-hold"),
    path("retention/brake/", retention.stop, name="console-brake"),
    path("retention/runs/", retention.runs, name="console-runs"),
    path("retention/person/<uuid:person>/", retention.why, name="console-why"),
    path("retention/person/<uuid:person>/hold/", retention.place_on, name="console-hold-on"),
]
