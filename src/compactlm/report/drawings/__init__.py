"""Drawings as inline SVG. The page's style sheet sets the colours, for light and dark. Shapes show the same without colour."""
