"""Pages for guests."""

from django.urls import path

from apps.kiosk import views

urlpatterns = [
    path("kiosk/", views.kiosk, name="kiosk"),
    path("t/<str:token>/", views.tracking, name="tracking"),
    path("t/<str:token>/order/", views.tracking_fragment),
    path("t/<str:token>/recibo/", views.receipt, name="receipt"),
    path("t/<str:token>/qr.svg", views.tracking_qr, name="tracking-qr"),
]
