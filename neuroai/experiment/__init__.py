"""The conductor: composes questions, lesions, comparisons and their provenance."""
