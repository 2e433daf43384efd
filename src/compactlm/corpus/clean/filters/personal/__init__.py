"""Personal data: how each kind is found, and masking by placeholders."""
