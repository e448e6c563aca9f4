"""Transfer learning: pretrained weights, new heads, what freezing costs, features computed once."""
