"""Containers of this host: which there are, what they use, what becomes of them."""
