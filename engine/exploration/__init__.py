"""``statecharge explore``: the composed machines searched for what must not be."""
