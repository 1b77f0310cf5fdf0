"""What apps tell each other: plain data, standard library only."""
