"""The tables of offline sync, each described where its behaviour is."""

from sync.losses import Loss
from sync.receipts import Receipt
from sync.refused import RefusedItem
from sync.state import FeedState

__all__ = ["FeedState", "Loss", "Receipt", "RefusedItem"]
