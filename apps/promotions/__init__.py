"""What an order costs. Pure rules so far, so there is no Django app yet."""
