from django.urls import path

from . import views

app_name = "algorithms"
urlpatterns = [
    path("", views.algorithms, name="list"),
    path("<str:algorithm>/", views.card, name="card"),
]
