"""Tables, figures and pages, made from saved files only."""
