"""Two answers, one score: metrics, ceilings, statistics."""
