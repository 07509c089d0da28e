"""The PocketBase-shaped API: a registry of collections, the filter grammar, and the routes that serve them."""
