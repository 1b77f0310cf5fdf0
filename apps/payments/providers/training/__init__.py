"""Nobody: in a store for training a code pays itself, and nothing is called."""
