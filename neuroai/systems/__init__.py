"""What meets stimuli: brains (recorded) and models (computed)."""
