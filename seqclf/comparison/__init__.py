"""Twins x seeds, side by side with the baselines."""
