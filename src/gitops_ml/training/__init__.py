"""Training of the candidates, and selection of the challenger among them."""
