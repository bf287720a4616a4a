"""Declares the detector."""

from fmb import DetectorSpec, hookimpl

FMB_API = 1


@hookimpl
def fmb_register_detectors():
    yield DetectorSpec(
        name="norm",
        summary="Distance from the mean, column by column",
        target="fmb_norm_demo.norm:NormDetector",
        config="fmb.contract.config:Config",
    )
