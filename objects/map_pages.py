"""The map in the back office: its page, its data, and the small map on an object's page.

The map shows what the objects' list shows: the same filters and search, by the list's own code.
"""

from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.api.errors import envelope
from crm.api.filters import parameters_of
from crm.api.rendering import to_json
from crm.backoffice import navigation, pages, sections
from crm.errors import CallerError
from objects.clusters import clusters_of
from objects.map_filters import window_of
from objects.models import Object, ObjectStatus, ObjectType

# What the map says beside the list's own parameters. hide: statuses that the legend has switched off.
OWN: Final = ("bbox", "zoom", "hide")
# Stands for an id in the address of an object's page.
NO_ID: Final = UUID(int=0)


def rows_of_list(request: HttpRequest) -> QuerySet[Any]:
    """What the objects' list would show to this person with this request's filters and search."""
    listing: Any = admin.site.get_model_admin(Object)
    rows: QuerySet[Any] = listing.filtered(request, ignoring=(*OWN, "o"))
    return rows


def hidden_statuses(request: HttpRequest) -> set[str]:
    """The statuses that the legend has switched off; unknown words say nothing."""
    return set(request.GET.get("hide", "").split(",")) & set(ObjectStatus.values)


@pages.page("map/clusters/", name="map_clusters", title=gettext_lazy("Map"))
def map_clusters(request: HttpRequest) -> HttpResponse:
    """The data of the map: the same GeoJSON as the API's, over the list's rows."""
    try:
        boxes, zoom = window_of(parameters_of(request.GET))
        hidden = hidden_statuses(request)
        rows = rows_of_list(request)
        if hidden:
            rows = rows.filter(status__in=sorted(set(ObjectStatus.values) - hidden))
        found = clusters_of([rows], boxes=boxes, zoom=zoom, reader=pages.reader(request))
    except CallerError as error:
        return envelope(error)
    return HttpResponse(to_json(found), content_type="application/geo+json")


@pages.page("map/", name="map", title=gettext_lazy("Map"))
def map_page(request: HttpRequest) -> HttpResponse:
    """The filtered objects on a map."""
    query = request.GET.copy()
    for name in (*OWN, "p", "o"):
        query.pop(name, None)
    listing = reverse("admin:objects_object_changelist")
    carried = [(name, value) for name in query if name != "q" for value in query.getlist(name)]
    return pages.render(
        request,
        "objects/map.html",
        {
            "map_settings": map_settings(),
            "list_url": f"{listing}?{query.urlencode()}" if query else listing,
            "carried": carried,
            "q": query.get("q", ""),
            "script": "objects/map/page.js",
        },
        title=_("Map"),
    )


navigation.add(navigation.Entry(navigation.Group.WORK, gettext_lazy("Map"), "map", "map", order=15))


@sections.section(Object, title=gettext_lazy("On the map"), order=10, beside=True)
def small_map(request: HttpRequest, record: Object) -> sections.Section | None:  # noqa: ARG001 - one signature
    """Where the object stands, and its neighbours; nothing for one without coordinates."""
    if record.gps_lat is None or record.gps_lng is None:
        return None
    here = {
        "id": record.pk,
        "lat": record.gps_lat,
        "lng": record.gps_lng,
        "status": record.status,
    }
    place = f"#17/{record.gps_lat:.5f}/{record.gps_lng:.5f}"
    return sections.Section(
        template="objects/small_map.html",
        context={
            "map_settings": {**map_settings(), "here": here},
            "map_url": reverse("admin:map") + place,
        },
    )


def map_settings() -> dict[str, Any]:
    """What the scripts need to know: addresses, labels and words in the reader's language."""
    return {
        "language": translation.get_language(),
        "time_zone": timezone.get_current_timezone_name(),
        "data_url": reverse("admin:map_clusters"),
        "object_url": reverse("admin:objects_object_change", args=[NO_ID]),
        "no_id": str(NO_ID),
        "tiles": {
            "url": settings.MAP_TILES_URL,
            "attribution": settings.MAP_TILES_ATTRIBUTION,
        },
        "statuses": [{"code": code, "label": str(label)} for code, label in ObjectStatus.choices],
        "types": {code: str(label) for code, label in ObjectType.choices},
        "words": words(),
    }


def words() -> dict[str, Any]:
    """What the scripts say."""
    return {
        "callBack": _("Call back"),
        "eastWest": [_("E"), _("W")],
        "group": _("Show them nearer"),
        "inView": _("Objects in view"),
        "lastVisit": _("Last visit"),
        "loggedOut": _("You have been logged out. Load the page anew to log in."),
        "more": _("Come nearer to see the others."),
        "never": _("not yet"),
        "nobody": _("nobody"),
        "northSouth": [_("N"), _("S")],
        "nothing": _("No objects here."),
        "nowhere": _("None of these objects has coordinates."),
        "objects": _("Objects"),
        "overdue": _("overdue"),
        "responsible": _("Responsible"),
        "samePlace": _("Objects at this place"),
        "toggle": _("Show or hide on the map"),
        "tooMany": _("Too many at one place; open the list"),
        "trouble": _("The map could not be loaded."),
        "zoomIn": _("Nearer"),
        "zoomOut": _("Farther"),
    }
