"""Data sets of the Hugging Face Hub, and folders that its `datasets` library saved."""

from seqclf.data.hub.load import read_hub
from seqclf.data.hub.names import HUB_NAMES
from seqclf.data.hub.saved import is_saved, read_saved

__all__ = ["HUB_NAMES", "is_saved", "read_hub", "read_saved"]
