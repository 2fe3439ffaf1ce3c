from django.urls import path

from . import audit_views

app_name = "audit"
urlpatterns = [
    path("", audit_views.events, name="events"),
    path("chain.jsonl", audit_views.chain_file, name="chain"),
]
