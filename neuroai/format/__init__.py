"""The common labelled form: names, types, checks, alignment, splits, files."""
