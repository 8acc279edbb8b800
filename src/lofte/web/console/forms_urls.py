from django.urls import path

from lofte.web.console import forms

urlpatterns = [
    path("forms/", forms.listed, name="console-forms"),
    path("forms/new/", forms.new, name="console-form-new"),
    path("forms/versions/<str:digest>/", forms.version, name="console-form-version"),
    path("forms/<slug:form>/", forms.form, name="console-form"),
    path("forms/<slug:form>/html/", forms.pieces, name="console-form-pieces"),
    path("forms/<slug:form>/<str:market>/<str:locale>/", forms.preview, name="console-form-preview"),
]
