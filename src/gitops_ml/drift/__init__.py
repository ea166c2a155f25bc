"""Reference distributions, and how far others are from them."""
