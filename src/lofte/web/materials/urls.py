from django.urls import path

from lofte.web.materials import views

urlpatterns = [
    path("", views.listing, name="materials"),
    path("open/<str:code>/", views.opened, name="material-open"),
    path("<slug:slug>/", views.material, name="material"),
]
