"""From a name or a path to a `Dataset`: `load` is where to begin."""
