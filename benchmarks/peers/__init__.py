"""Other people's ways of training the same networks: one small program each, none of which imports cnncore."""
