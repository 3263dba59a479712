"""Data sets of the Hugging Face Hub, and folders that its `datasets` library saved."""

from seqclf.data.hub.load import hide_downloads, is_saved, read_hub, read_saved
from seqclf.data.hub.names import HUB_NAMES
from seqclf.data.hub.single import hub_file

__all__ = [
    "HUB_NAMES", "hide_downloads", "hub_file", "is_saved", "read_hub", "read_saved"
]  # fmt: skip
