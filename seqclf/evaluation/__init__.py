"""How good predictions are, and what a simpler method reaches."""
