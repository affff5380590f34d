"""Registered networks, one file each."""
