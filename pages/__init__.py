"""The pages of the app."""

import gc

# Loading the app makes a hundred thousand objects that stay; looking through them and Streamlit's for garbage again and
# again would take a fifth of the time until the first page is there.
gc.freeze()
gc.set_threshold(5_000, 10, 10)
