"""What can be found out about a trained network."""
