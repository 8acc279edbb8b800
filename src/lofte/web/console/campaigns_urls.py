"""The addresses of campaigns and segments in the console."""

from django.urls import path

from lofte.web.console import campaigns, segments

urlpatterns = [
    path("campaigns/", campaigns.listed, name="console-campaigns"),
    path("campaigns/new/", campaigns.new, name="console-campaign-new"),
    path("campaigns/<uuid:campaign>/", campaigns.one, name="console-campaign"),
    path("campaigns/<uuid:campaign>/change/", campaigns.change, name="console-campaign-change"),
    path("campaigns/<uuid:campaign>/letter/<str:tag>/", campaigns.letter, name="console-campaign-letter"),
    path("campaigns/<uuid:campaign>/preview/", campaigns.preview, name="console-campaign-preview"),
    path("campaigns/<uuid:campaign>/preview/<str:tag>/", campaigns.shown, name="console-campaign-shown"),
    path("segments/", segments.listed, name="console-segments"),
    path("segments/new/", segments.new, name="console-segment-new"),
    path("segments/<uuid:segment>/", segments.one, name="console-segment"),
    path("segments/<uuid:segment>/change/", segments.change, name="console-segment-change"),
]
