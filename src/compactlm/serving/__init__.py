"""Serve the finished model over HTTP: batching, limits, routes and metrics."""
