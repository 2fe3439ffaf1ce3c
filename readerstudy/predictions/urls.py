from django.urls import path

from . import views

app_name = "predictions"
urlpatterns = [
    path("", views.runs, name="runs"),
    path("<str:run>/", views.run, name="run"),
    path("<str:run>/retry/", views.retry, name="retry"),
    path("<str:run>/offer/", views.offer, name="offer"),
    path("<str:run>/output/<str:prediction>/", views.output, name="output"),
    path("<str:run>/output/<str:prediction>/output.json", views.output_document, name="output_document"),
    path(
        "<str:run>/output/<str:prediction>/heatmap-<int:number>.png", views.plane, {"kind": "heatmap"}, name="heatmap"
    ),
    path("<str:run>/output/<str:prediction>/mask-<int:number>.png", views.plane, {"kind": "mask"}, name="mask"),
]
