"""Addresses under /api/v1."""

from django.urls import path

from crm.api.routing import endpoints
from crm.users.login_views import LogoutView, PasswordView, RefreshView, TokenView
from crm.users.views import MeView, SupervisorsView, UserViewSet

urlpatterns = [
    path("auth/token", TokenView.as_view(), name="auth-token"),
    path("auth/refresh", RefreshView.as_view(), name="auth-refresh"),
    path("auth/logout", LogoutView.as_view(), name="auth-logout"),
    path("auth/password", PasswordView.as_view(), name="auth-password"),
    path("users/me", MeView.as_view(), name="users-me"),
    path("users/supervisors", SupervisorsView.as_view(), name="users-supervisors"),
    *endpoints(users=UserViewSet),
]
