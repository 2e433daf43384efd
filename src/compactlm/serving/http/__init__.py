"""The HTTP layer: connections, direct calls of routes, and answers to requests that cannot be served."""
