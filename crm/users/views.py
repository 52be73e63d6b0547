"""Endpoints of people."""

from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from crm.api.caller import caller_of
from crm.api.filters import SEARCH, parameters_of, refuse_unknown
from crm.api.schema import documented
from crm.api.viewsets import ReaderViewSet
from crm.searching import matching
from crm.users import services
from crm.users.filters import UserFilters
from crm.users.models import User
from crm.users.roles import Role
from crm.users.serializers import (
    MeSerializer,
    OwnSerializer,
    SupervisorSerializer,
    UserSerializer,
)

# A list without pages must end somewhere.
MAX_BARE = 1000


class UserViewSet(ReaderViewSet):
    """People. They are never deleted: what they did stays theirs; they are deactivated."""

    queryset = User.objects.none()
    serializer_class = UserSerializer
    scope = "users"
    filters = UserFilters
    related = ("city", "district")
    default_sort = "full_name"
    http_method_names = ["get", "post", "patch", "head"]
    sorts: ClassVar[Any] = {
        "full_name": "full_name",
        "email": "email",
        "role": "role",
        "city": "city__name",
        "district": "district__name",
        "last_login_at": "last_login",
        "created_at": "created_at",
        "updated_at": "updated_at",
    }
    personal_sorts = frozenset({"email"})
    sight_by_role = True

    @documented(listing=True, bare=True)
    def list(self, request: Request) -> HttpResponse:
        """People in the caller's sight: a bare array, or a page or step of a cursor when one is asked for.

        The bare array holds at most 1,000 people.
        """
        return self.listed(self.get_queryset, bare=True)

    @extend_schema(request=UserSerializer, responses={201: UserSerializer})
    def create(self, request: Request) -> Response:
        """Make an account. Supervisors make engineers of their territory."""
        user = services.create_user(actor=self.caller, values=self.checked(partial=False))
        return Response(self.shown(user), status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change an account; effective on that person's next request."""
        changes = self.checked(partial=True)
        user = services.update_user(actor=self.caller, user_id=self.record_id(), changes=changes)
        return Response(self.shown(user))

    def checked(self, *, partial: bool) -> dict[str, Any]:
        """The body's fields by column."""
        serializer = self.get_serializer(data=self.request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def shown(self, user: User) -> Any:
        """The person as the caller sees them."""
        return self.get_serializer(self.summarised(User.objects.filter(pk=user.pk)).get()).data


class MeView(APIView):
    """The caller."""

    http_method_names = ["get", "patch", "head"]

    @extend_schema(operation_id="users_me_retrieve", responses=MeSerializer)
    def get(self, request: Request) -> Response:
        """The caller, with the scopes of their role."""
        return self.shown(request)

    @extend_schema(
        operation_id="users_me_partial_update", request=OwnSerializer, responses=MeSerializer
    )
    def patch(self, request: Request) -> Response:
        """Change one's own name and phone."""
        serializer = OwnSerializer(data=request.data, partial=True, context={"request": request})
        serializer.is_valid(raise_exception=True)
        services.update_me(user=caller_of(request), changes=dict(serializer.validated_data))
        return self.shown(request)

    @staticmethod
    def shown(request: Request) -> Response:
        """The person with their places, as they see themselves."""
        me = User.objects.visible_to(caller_of(request)).select_related("city", "district")
        own = me.get(pk=caller_of(request).pk)
        return Response(MeSerializer(own, context={"request": request}).data)


class SupervisorsView(APIView):
    """To whom an object can be handed over."""

    http_method_names = ["get", "head"]

    @extend_schema(
        operation_id="users_supervisors_list",
        responses=SupervisorSerializer(many=True),
        parameters=[
            OpenApiParameter("q", str, description="Every word begins a word of the name."),
            OpenApiParameter("search", str, description="The same as q."),
        ],
    )
    def get(self, request: Request) -> Response:
        """Active supervisors who could take an object of the caller: of the same city, or company-wide.

        Administrators and company-wide supervisors see all of them.
        """
        parameters = parameters_of(request.query_params)
        refuse_unknown(parameters, SEARCH)
        q = parameters.get("q") or parameters.get("search") or ""
        # By name only, for everybody: no word of an e-mail address can be guessed here.
        rows = self.reachable(caller_of(request)).filter(matching("search_text", q, private=False))
        rows = rows.select_related("city").order_by("full_name", "pk")[:MAX_BARE]
        return Response(SupervisorSerializer(rows, many=True).data)

    @staticmethod
    def reachable(user: User) -> Any:
        """Supervisors whose territory could hold what the caller hands over."""
        if user.is_admin or (user.is_supervisor and user.city_id is None):
            return User.objects.active().filter(role=Role.SUPERVISOR)
        return User.objects.supervisors_for(user.city_id)
