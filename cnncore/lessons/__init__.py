"""The arithmetic behind the lessons, in numpy: what they show is what the networks compute."""
