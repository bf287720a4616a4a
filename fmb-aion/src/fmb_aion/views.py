"""The views of AION and the slots each needs; standard library only, the plugin reads it."""

__all__ = ["VIEWS"]

VIEWS = {"image": ("image",), "spectrum": ("spectrum",), "joint": ("image", "spectrum")}
