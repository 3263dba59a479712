"""The commands as plain functions, a file each; `cli/` and `api.py` call the same.

They differ in who listens: a screen, or a logger. The files are imported one by one, so
that a prediction does not wait for what a training needs.
"""
