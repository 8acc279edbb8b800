from django.urls import path

from lofte.web.site import views

urlpatterns = [
    path("", views.newsletter, name="newsletter"),
    path("thanks/", views.thanks, name="newsletter-thanks"),
    path("confirm/<str:code>/", views.confirm, name="newsletter-confirm"),
    path("preferences/<str:code>/", views.preferences, name="newsletter-preferences"),
    path("unsubscribe/<str:code>/", views.leave, name="newsletter-leave"),
    path("receipt/<str:token>.<str:form>", views.receipt, name="newsletter-receipt"),
]
