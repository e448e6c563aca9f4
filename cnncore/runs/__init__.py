"""Runs: where they are kept, what they report, and the queue that starts them."""
