"""Addresses of the inquiries' pages. None of them holds anything about a person."""

from django.urls import path

from lofte.web.console import inquiries, inquiry_new

urlpatterns = [
    path("inquiries/", inquiries.listed, name="console-inquiries"),
    path("inquiries/new/", inquiry_new.new, name="console-inquiry-new"),
    path("inquiries/<uuid:inquiry>/", inquiries.one, name="console-inquiry"),
    path("inquiries/<uuid:inquiry>/file/<uuid:attachment>/", inquiries.file, name="console-inquiry-file"),
    path("inquiries/<uuid:inquiry>/<str:name>/", inquiries.act, name="console-inquiry-act"),
]
