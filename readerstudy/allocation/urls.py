from django.urls import path

from . import views

app_name = "allocation"
urlpatterns = [
    path("", views.allocation, name="allocation"),
    path("slots.csv", views.slots, name="slots"),
]
