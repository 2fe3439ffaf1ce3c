from django.urls import path

from .views import coordinator, existing

app_name = "readings"
urlpatterns = [
    path("", coordinator.progress, name="progress"),
    path("open/", coordinator.open_reading, name="open"),
    path("import/", existing.check, name="import"),
    path("import/confirm/", existing.confirm, name="confirm-import"),
    path("correct/", coordinator.correct, name="correct"),
    path("washout/<str:slot>/ask/", coordinator.ask_override, name="ask-override"),
    path("washout/<str:slot>/agree/", coordinator.agree_override, name="agree-override"),
]
