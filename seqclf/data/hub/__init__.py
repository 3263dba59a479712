"""Data sets of the Hugging Face Hub, and folders that its `datasets` library saved."""
