"""The least set of addresses: staff login. `lofte.web.urls` takes its place when that room is installed."""

from django.urls import include, path

urlpatterns = [path("accounts/", include("allauth.urls"))]
