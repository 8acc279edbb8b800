from django.urls import path

from lofte.web.api import decide

urlpatterns = [path("decide", decide.decide, name="api-decide")]
