from django.urls import path

from lofte.web.api import decide, forms, openapi

urlpatterns = [
    path("decide", decide.decide, name="api-decide"),
    path("forms/<str:market>/<str:locale>/", forms.listed, name="api-forms"),
    path("forms/<str:market>/<str:locale>/<slug:form>/", forms.form, name="api-form"),
    path("openapi.json", openapi.document, name="api-openapi"),
]
