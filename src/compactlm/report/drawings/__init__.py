"""Drawings as inline SVG. Colours come from the page's style sheet, to suit light and dark; shapes say the same without colour."""
