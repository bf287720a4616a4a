"""Colours of the figures, told apart by readers with any colour vision.

Source: Okabe and Ito (2008), https://jfly.uni-koeln.de/color/.
"""

__all__ = ["BLUE", "GREY", "INK", "NO_DATA", "PALE_BLUE", "PAPER", "RULE", "VERMILION"]

INK = "#1a1a1a"
GREY = "#8c8c8c"
RULE = "#c8c8c8"
PAPER = "#ffffff"
BLUE = "#0072b2"
PALE_BLUE = "#a9cfe6"
VERMILION = "#d55e00"
NO_DATA = ("#cc79a7", "#8f4d74")
"""Light and dark stripe of pixels without a value; no stretch of a galaxy gives this purple."""
