from django.urls import path

from lofte.web.console import materials

urlpatterns = [
    path("materials/", materials.materials, name="console-materials"),
    path("materials/new/", materials.new, name="console-material-new"),
    path("materials/<uuid:material>/", materials.one, name="console-material"),
    path("materials/<uuid:material>/edit/", materials.edit, name="console-material-edit"),
    path("materials/<uuid:material>/give/", materials.give, name="console-material-give"),
    path("materials/<uuid:material>/do/", materials.act, name="console-material-act"),
    path("materials/<uuid:material>/file/<str:digest>/", materials.file, name="console-material-file"),
]
