from django.urls import path

from . import views

app_name = "datasets"
urlpatterns = [
    path("", views.data, name="data"),
    path("files/<str:name>", views.download, name="download"),
]
