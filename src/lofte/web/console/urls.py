from django.urls import path

from lofte.web.console import approvals, requests, views

urlpatterns = [
    path("", views.board, name="console"),
    path("check/", views.check, name="console-check"),
    path("promise/<str:promise>/", views.promise, name="console-promise"),
    path("publications/", views.publications, name="console-publications"),
    path("evidence/<int:index>/", views.evidence, name="console-evidence"),
    path("people/", views.people, name="console-people"),
    path("people/<uuid:person>/", views.person, name="console-person"),
    path("approvals/", approvals.waiting, name="console-approvals"),
    path("approvals/<uuid:approval>/", approvals.approval, name="console-approval"),
    path("staff/", approvals.staff, name="console-staff"),
    path("staff/<int:account>/", approvals.account, name="console-account"),
    path("requests/", requests.listed, name="console-requests"),
    path("requests/new/", requests.new, name="console-request-new"),
    path("requests/<uuid:request_id>/", requests.one, name="console-request"),
    path("requests/<uuid:request_id>/<str:name>/", requests.act, name="console-request-act"),
    path("operation/", views.operation, name="console-operation"),
    path("locale/", views.locale, name="console-locale"),
]
