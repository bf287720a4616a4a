"""Declares a model that writes down which objects it encodes."""

from fmb import Accepts, ModelSpec, WeightsSpec, hookimpl

FMB_API = 1
ACCEPTS = (
    Accepts(slot="image", kind="images"),
    Accepts(slot="spectrum", kind="spectra"),
)


@hookimpl
def fmb_register_models():
    yield ModelSpec(
        name="counting",
        summary="Moments of pixels, and a note of each object",
        target="counting_parts:Counting",
        accepts=ACCEPTS,
        views={"image": ("image",), "spectrum": ("spectrum",), "joint": ("image", "spectrum")},
        embedders=("mean",),
        weights=(WeightsSpec(name="random", summary="none", card="counting_parts:card"),),
    )
