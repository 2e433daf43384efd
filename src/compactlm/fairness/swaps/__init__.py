"""Counterfactual texts, and predictions that change with them."""
