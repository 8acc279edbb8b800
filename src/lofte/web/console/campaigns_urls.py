"""The addresses of campaigns and segments in the console."""

from django.urls import path

from lofte.web.console import segments

urlpatterns = [
    path("segments/", segments.listed, name="console-segments"),
    path("segments/new/", segments.new, name="console-segment-new"),
    path("segments/<uuid:segment>/", segments.one, name="console-segment"),
    path("segments/<uuid:segment>/change/", segments.change, name="console-segment-change"),
]
