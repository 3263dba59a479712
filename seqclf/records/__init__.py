"""What is saved and passed on: typed records, written as plain JSON, read strictly."""
