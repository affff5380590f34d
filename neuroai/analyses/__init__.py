"""Questions put to one system, by Marr's level."""
