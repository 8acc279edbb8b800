from django.urls import path

from lofte.web.console import events

urlpatterns = [
    path("events/", events.events, name="console-events"),
    path("events/new/", events.new, name="console-event-new"),
    path("events/<uuid:event>/", events.event, name="console-event"),
    path("events/<uuid:event>/edit/", events.edit, name="console-event-edit"),
    path("events/<uuid:event>/people/", events.people, name="console-event-people"),
    path("events/<uuid:event>/people/tick/", events.tick, name="console-event-tick"),
    path("events/<uuid:event>/people/file/", events.sheet, name="console-event-sheet"),
]
