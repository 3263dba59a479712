"""From one config to one finished run."""
