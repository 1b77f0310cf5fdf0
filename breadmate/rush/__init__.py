"""The rush: a day of made-up guests, cooks and payments on a running shop, driven by HTTP and audited at the end.

``plan`` decides from a seed who comes, what they like and what goes wrong; ``guests`` and ``cooks`` act it out over ``wire``;
``tally`` counts, ``book`` compares what everybody was told with what is written here and at the provider, ``report`` tells it.
"""
