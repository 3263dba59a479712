"""Linear models on n-grams: the rows that every recurrent model has to beat."""
