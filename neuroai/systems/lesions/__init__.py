"""Lesions as pure functions, one file a kind."""
