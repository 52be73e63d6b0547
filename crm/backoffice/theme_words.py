"""Sentences of the theme that it has no Russian for: named here, they are translated in our catalogue.

Django looks a sentence up in every catalogue, ours before those of libraries. Nobody imports this file.
"""

from django.utils.translation import gettext_noop

WORDS = (
    gettext_noop("Date"),
    gettext_noop("Loading more results..."),
    gettext_noop("More actions"),
    gettext_noop("Select action"),
    gettext_noop("Select action to run"),
    gettext_noop("Select all rows"),
    gettext_noop("Select record"),
    gettext_noop("Select value"),
    gettext_noop("Toggle password visibility"),
    gettext_noop("Type to search"),
)
