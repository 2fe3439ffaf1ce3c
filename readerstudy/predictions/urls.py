from django.urls import path

from . import views

app_name = "predictions"
urlpatterns = [
    path("", views.runs, name="runs"),
    path("<str:run>/", views.run, name="run"),
    path("<str:run>/retry/", views.retry, name="retry"),
    path("<str:run>/heatmap/<str:prediction>.png", views.heatmap, name="heatmap"),
]
