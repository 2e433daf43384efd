"""Counterfactual texts, and how predictions change with them."""
