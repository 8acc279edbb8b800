from django.urls import path

from lofte.web.console import retention

urlpatterns = [
    path("retention/", retention.forecast, name="console-retention"),
    path("holds/", retention.held, name="console-holds"),
    path("holds/new/", retention.place, name="console-hold-new"),
    path("holds/<uuid:hold>/", retention.one, name="console-hold"),
    path("brake/", retention.stop, name="console-brake"),
    path("runs/", retention.runs, name="console-runs"),
    path("person/<uuid:person>/", retention.why, name="console-why"),
    path("person/<uuid:person>/hold/", retention.place_on, name="console-hold-on"),
]
