"""Trainings shown elsewhere, by the events that move the progress bar."""

from seqclf.trackers.follow import TRACKERS, Followed, followed

__all__ = ["TRACKERS", "Followed", "followed"]
