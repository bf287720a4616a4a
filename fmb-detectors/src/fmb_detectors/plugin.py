"""Declares the detectors of this package."""

from collections.abc import Iterator

from fmb import DetectorSpec, hookimpl

FMB_API = 1


@hookimpl
def fmb_register_detectors() -> Iterator[DetectorSpec]:
    """The Gaussian baseline, the normalizing flow, and scores made elsewhere."""
    yield DetectorSpec(
        name="gaussian",
        summary="Ledoit-Wolf Gaussian, negative log-likelihood",
        target="fmb_detectors.gaussian:GaussianDetector",
        config="fmb_detectors.config:GaussianConfig",
        details={"squared_mahalanobis": ""},
        revision=2,
        source="10.1016/S0047-259X(03)00096-4",
        licence="BSD-3-Clause",
    )
    yield DetectorSpec(
        name="flow",
        summary="Normalizing flow, stricter of it and the Gaussian",
        target="fmb_detectors.flow:FlowDetector",
        config="fmb_detectors.config:FlowConfig",
        details={"gaussian": "nat", "flow_gain": "nat", "stability": ""},
        revision=3,
        source="arXiv:1705.07057",
        licence="BSD-3-Clause",
        requires=("nflows", "torch"),
    )
    yield DetectorSpec(
        name="from-table",
        summary="Scores made elsewhere, read from a table",
        target="fmb_detectors.from_table:FromTableDetector",
        config="fmb_detectors.config:FromTableConfig",
        fitted=False,
        persistent=False,
        licence="BSD-3-Clause",
    )
