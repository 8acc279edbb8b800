from django.urls import path

from lofte.web.portal import views

urlpatterns = [
    path("", views.ask, name="portal"),
    path("asked/", views.asked, name="portal-asked"),
    path("open/<str:code>/", views.open_link, name="portal-open"),
    path("address/<str:code>/", views.new_address, name="portal-address"),
    path("close/", views.close, name="portal-close"),
    path("data/", views.data, name="portal-data"),
    path("data/download.json", views.download_json, name="portal-json"),
    path("data/download.csv", views.download_csv, name="portal-csv"),
    path("data/receipt/<int:index>.<str:form>", views.receipt, name="portal-receipt"),
    path("data/correct/<uuid:holding>/", views.correct, name="portal-correct"),
    path("data/withdraw/", views.withdraw, name="portal-withdraw"),
    path("data/topics/", views.topics, name="portal-topics"),
    path("data/object/", views.object_to, name="portal-object"),
    path("data/erase/", views.erase, name="portal-erase"),
    path("erased/<str:token>/", views.erased, name="portal-erased"),
    path("erased/<str:token>/receipt.<str:form>", views.erased_receipt, name="portal-erased-receipt"),
]
