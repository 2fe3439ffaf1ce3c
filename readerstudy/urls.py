"""Every door of the site. The stages stand in the order of the data's way."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language

urlpatterns = [
    path("accounts/", include("readerstudy.accounts.allauth_urls")),
    path("accounts/", include("readerstudy.accounts.urls")),
    path("studies/", include("readerstudy.studies.urls")),
    path("studies/<str:study>/cases/", include("readerstudy.cases.urls")),
    path("studies/<str:study>/reference/", include("readerstudy.reference.urls")),
    path("studies/<str:study>/predictions/", include("readerstudy.predictions.urls")),
    path("algorithms/", include("readerstudy.predictions.algorithm_urls")),
    path("studies/<str:study>/allocation/", include("readerstudy.allocation.urls")),
    path("reading/", include("readerstudy.reading.urls")),
    path("studies/<str:study>/readings/", include("readerstudy.reading.coordinator_urls")),
    path("studies/<str:study>/data/", include("readerstudy.datasets.urls")),
    path("studies/<str:study>/results/", include("readerstudy.results.urls")),
    path("studies/<str:study>/audit/", include("readerstudy.dashboard.audit_urls")),
    path("language/", set_language, name="set_language"),
    # Its own log-in would ask nobody for the second factor.
    path("admin/login/", secure_admin_login(admin.site.login), name="admin_login"),
    path("admin/", admin.site.urls),
    path("", include("readerstudy.dashboard.urls")),
]

handler500 = "readerstudy.audit.middleware.server_error"
