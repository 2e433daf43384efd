"""HTTP itself: connections, direct calls of routes, and answers to requests that cannot be served."""
