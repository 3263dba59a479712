"""Studies that train the cells again and again, while a setting varies."""
