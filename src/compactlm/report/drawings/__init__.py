"""Drawings as inline SVG. The page's style sheet sets light and dark colours. Shapes convey the same without colour."""
