from django.urls import path

from . import views

app_name = "accounts"
urlpatterns = [
    path("profile/", views.profile, name="profile"),
    path("people/", views.people, name="people"),
    path("people/<str:user>/", views.account, name="account"),
    path("people/<str:user>/password/", views.password, name="password"),
    path("people/<str:user>/active/", views.active, name="active"),
]
