from django.urls import path

from lofte.web.portal import acts, copies, door, events, inquiries, keep, requests, views

urlpatterns = [
    path("", door.ask, name="portal"),
    path("asked/", door.asked, name="portal-asked"),
    path("open/<str:code>/", door.open_link, name="portal-open"),
    path("address/<str:code>/", door.new_address, name="portal-address"),
    path("keep/<str:code>/", keep.keep, name="portal-keep"),
    path("write/", requests.write, name="portal-write"),
    path("written/", requests.written, name="portal-written"),
    path("copy.schema.json", copies.schema, name="portal-schema"),
    path("close/", door.close, name="portal-close"),
    path("code/", door.code, name="portal-code"),
    path("data/", views.data, name="portal-data"),
    path("data/copy/", copies.choose, name="portal-copy"),
    path("data/download.<str:form>", copies.download, name="portal-download"),
    path("data/receipt/<int:index>.<str:form>", views.receipt, name="portal-receipt"),
    path("data/correct/<uuid:holding>/", acts.correct, name="portal-correct"),
    path("data/withdraw/", acts.withdraw, name="portal-withdraw"),
    path("data/topics/", acts.topics, name="portal-topics"),
    path("data/object/", acts.object_to, name="portal-object"),
    path("data/restrict/", acts.restrict, name="portal-restrict"),
    path("data/events/leave/", events.leave, name="portal-event-leave"),
    path("data/erase/", acts.erase, name="portal-erase"),
    path("requests/", requests.listed, name="portal-requests"),
    path("requests/ask/", requests.ask, name="portal-ask"),
    path("requests/<uuid:request_id>/", requests.one, name="portal-request"),
    path("inquiries/<uuid:inquiry>/", inquiries.one, name="portal-inquiry"),
    path("erased/<str:token>/", acts.erased, name="portal-erased"),
    path("erased/<str:token>/receipt.<str:form>", acts.erased_receipt, name="portal-erased-receipt"),
]
