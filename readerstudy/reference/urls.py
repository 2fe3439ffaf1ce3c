from django.urls import path

from . import views

app_name = "reference"
urlpatterns = [
    path("", views.reference, name="reference"),
    path("opinions/", views.opinions, name="opinions"),
    path("opinions/<str:case>/", views.opinion, name="opinion"),
    path("versions/<str:standard>/", views.standard, name="standard"),
]
