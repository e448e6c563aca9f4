"""A trained network as one ZIP to take away, and back in; `classify.py` in it needs nothing of this lab."""
