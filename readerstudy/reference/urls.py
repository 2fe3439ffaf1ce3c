from django.urls import path

from . import views

app_name = "reference"
urlpatterns = [
    path("", views.reference, name="reference"),
    path("adjudicator/", views.appoint, name="appoint"),
    path("opinions/", views.opinions, name="opinions"),
    path("opinions/<str:case>/", views.opinion, name="opinion"),
    path("opinions/<str:case>/desk.json", views.desk, name="desk"),
    path("opinions/<str:case>/draft/", views.draft, name="draft"),
    path("versions/<str:standard>/", views.standard, name="standard"),
    path("versions/<str:standard>/<str:name>", views.download, name="download"),
]
