"""Find each kind of personal data, and mask it by placeholders."""
