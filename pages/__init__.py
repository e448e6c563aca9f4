"""The pages of the app."""

import gc

# What is loaded stays; looking through it for garbage again and again would take a fifth of the time of loading.
gc.freeze()
gc.set_threshold(5_000, 10, 10)
