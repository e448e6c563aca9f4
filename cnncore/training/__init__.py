"""Training: a state, a generator of events over it, and what turns a run of the store into both."""
