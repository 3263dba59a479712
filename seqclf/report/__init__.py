"""Results for people, made from saved files only."""
