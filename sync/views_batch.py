"""POST sync/batch."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from crm.api.caller import caller_of
from crm.api.errors import body_of
from crm.api.schema_errors import CONFLICT
from crm.errors import Conflict
from sync.batch import read_batch
from sync.figures import count_push
from sync.outcomes import Outcome, Status
from sync.push import Pushed, conflict_sentence, push
from sync.serializers_batch import BatchConflictSerializer, BatchResultSerializer, BatchSerializer

MAX_DEVICE = 128


class BatchView(APIView):
    """Edits made offline."""

    http_method_names = ["post"]
    refuses = (CONFLICT,)
    refusals = {
        CONFLICT: (
            "BatchConflict",
            "At least one item conflicts (CONFLICT); the others were applied all the same.",
            BatchConflictSerializer,
        )
    }

    @extend_schema(
        operation_id="sync_batch",
        request=BatchSerializer,
        responses=BatchResultSerializer,
        parameters=[
            OpenApiParameter(
                "X-Device-ID",
                str,
                OpenApiParameter.HEADER,
                description="Names the phone in the list of refused items.",
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Apply a batch of edits; sending it again changes nothing.

        Every item gets a result of its own. 409 when any item conflicts; the other items are applied all the
        same.
        """
        # PostgreSQL's text cannot hold NUL.
        device = request.headers.get("X-Device-ID", "").replace("\x00", "")[:MAX_DEVICE]
        pushed = push(actor=caller_of(request), batch=read_batch(request.data), device=device)
        count_push(outcome for _item, outcome in pushed.results)
        conflict = first_conflict(pushed)
        body = shown(pushed)
        if conflict is None:
            return Response(body)
        refusal = Conflict(conflict_sentence(), details={"diff": conflict.diff})
        return Response({**body, **body_of(refusal)}, status=status.HTTP_409_CONFLICT)


def first_conflict(pushed: Pushed) -> Outcome | None:
    """The first item in the order given that conflicts."""
    return next((o for _item, o in pushed.results if o.status == Status.CONFLICT), None)


def shown(pushed: Pushed) -> dict[str, Any]:
    """The answer's own part."""
    return {
        "results": [outcome.shown(item) for item, outcome in pushed.results],
        "conflicts_count": pushed.count(Status.CONFLICT),
        "errors_count": pushed.count(Status.ERROR),
    }
