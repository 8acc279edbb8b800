from django.urls import path

from lofte.web.forms import embed, views

urlpatterns = [
    path("<slug:form>/", views.form, name="form"),
    path("<slug:form>/embed.html", embed.snippet, name="form-embed"),
    path("<slug:form>/thanks/<str:token>/", views.thanks, name="form-thanks"),
]
