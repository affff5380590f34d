"""Numbers on plain arrays: no labels, no global state, one family of functions per module.

Functions take NumPy arrays; where a page says so they take torch tensors too and ask the array
which it is. Importing this package imports neither torch nor scipy.
"""
