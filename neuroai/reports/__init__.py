"""Tables, figures and pages; they read scores and compute nothing."""
