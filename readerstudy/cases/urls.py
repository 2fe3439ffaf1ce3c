from django.urls import path

from . import views

app_name = "cases"
urlpatterns = [
    path("", views.cases, name="cases"),
    path("import/", views.start, name="start"),
    path("import/<str:run>/", views.show_import, name="import"),
    path("import/<str:run>/confirm/", views.confirm, name="confirm"),
    path("import/<str:run>/resume/", views.resume, name="resume"),
    path("import/<str:run>/manifest/", views.replace, name="replace"),
    path("import/<str:run>/drop/", views.drop, name="drop"),
    path("frames/<str:series>/<int:position>.f16", views.frame, name="frame"),
    path("previews/<str:series>/<int:position>.f16", views.preview, name="preview"),
    path("<str:case>/", views.case, name="case"),
    path("<str:case>/case.json", views.document, name="document"),
    path("<str:case>/thumbnail.jpg", views.thumbnail, name="thumbnail"),
]
