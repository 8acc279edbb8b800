from django.urls import path

from lofte.web.events import views

urlpatterns = [
    path("", views.listing, name="events"),
    path("leave/<str:code>/", views.leave, name="event-leave"),
    path("<slug:slug>/", views.event, name="event"),
    path("<slug:slug>/calendar.ics", views.calendar, name="event-calendar"),
]
