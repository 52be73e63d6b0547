"""Addresses under /api/v1."""

from django.urls import path

from sync.views_batch import BatchView
from sync.views_changes import ChangesView

urlpatterns = [
    path("sync/batch", BatchView.as_view(), name="sync-batch"),
    path("sync/changes", ChangesView.as_view(), name="sync-changes"),
]
