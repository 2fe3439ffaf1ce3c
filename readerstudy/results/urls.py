from django.urls import path

from . import views

app_name = "results"
urlpatterns = [
    path("", views.results, name="results"),
    path("truthers/", views.truthers, name="truthers"),
    path("start/", views.start, name="start"),
    path("results.json", views.document, name="document"),
    path("estimates.csv", views.table, name="table"),
    path("figures/<str:name>.json", views.figure, name="figure"),
]
