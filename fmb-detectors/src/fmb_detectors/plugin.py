"""Declares the detectors of this package."""

from collections.abc import Iterator

from fmb import DetectorSpec, hookimpl

FMB_API = 1


@hookimpl
def fmb_register_detectors() -> Iterator[DetectorSpec]:
    """What judges vectors, pairs of them and rows of the catalogue, and what fuses lists."""
    yield from _of_vectors()
    yield from _of_pairs()
    yield from _of_catalogues()
    yield from _fusions()


def _of_vectors() -> Iterator[DetectorSpec]:
    yield DetectorSpec(
        name="flow",
        summary="Normalizing flow, stricter of it and the Gaussian",
        target="fmb_detectors.flow:FlowDetector",
        config="fmb_detectors.config:FlowConfig",
        details={"gaussian": "nat", "flow_gain": "nat", "stability": ""},
        meanings={
            "gaussian": "score by the Gaussian alone",
            "flow_gain": "log likelihood that the flow adds, below 0 = it finds it stranger",
            "stability": "scatter of its place over seeds of the flow, 0 for one seed",
        },
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
    yield DetectorSpec(
        name="gaussian",
        summary="Ledoit-Wolf Gaussian, negative log-likelihood",
        target="fmb_detectors.gaussian:GaussianDetector",
        config="fmb_detectors.config:GaussianConfig",
        details={"squared_mahalanobis": ""},
        meanings={"squared_mahalanobis": "squared distance from the mean, in spreads"},
        revision=2,
        source="10.1016/S0047-259X(03)00096-4",
        licence="BSD-3-Clause",
    )
    yield DetectorSpec(
        name="iforest",
        summary="Isolation forest, how few random cuts set an object apart",
        target="fmb_detectors.iforest:IforestDetector",
        config="fmb_detectors.config:IforestConfig",
        source="10.1109/ICDM.2008.17",
        licence="BSD-3-Clause",
        requires=("sklearn",),
    )
    yield DetectorSpec(
        name="knn",
        summary="Distance to the nearest neighbours",
        target="fmb_detectors.knn:KnnDetector",
        config="fmb_detectors.neighbour_config:KnnConfig",
        details={"nearest": ""},
        meanings={"nearest": "distance to the nearest object"},
        source="10.1145/335191.335437",
        licence="BSD-3-Clause",
    )
    yield DetectorSpec(
        name="lof",
        summary="Local outlier factor, density beside that of neighbours",
        target="fmb_detectors.lof:LofDetector",
        config="fmb_detectors.neighbour_config:LofConfig",
        source="10.1145/335191.335388",
        licence="BSD-3-Clause",
    )
    yield DetectorSpec(
        name="pyod",
        summary="A method of PyOD, as it scores",
        target="fmb_detectors.pyod:PyodDetector",
        config="fmb_detectors.pyod_config:PyodConfig",
        persistent=False,
        source="arXiv:1901.01588",
        licence="BSD-3-Clause",
        requires=("pyod",),
        extra="pyod",
    )
    yield DetectorSpec(
        name="typical",
        summary="The suspiciously ordinary: blanks, repeats, tight clumps",
        target="fmb_detectors.typical:TypicalDetector",
        config="fmb_detectors.neighbour_config:TypicalConfig",
        fused=False,
        first="the most ordinary",
        details={"nearest": "", "clump": "", "clump_size": ""},
        meanings={
            "nearest": "distance to the nearest object",
            "clump": "number of its clump, 1 = the largest, 0 = none",
            "clump_size": "objects in its clump, itself included",
        },
        licence="BSD-3-Clause",
    )


_OF_PAIRS = {
    "fit_nats": "high = its views fit together",
    "strange_views": "views strange by themselves: 0 none, 1 the first, 2 the second, 3 both",
}


def _of_pairs() -> Iterator[DetectorSpec]:
    yield DetectorSpec(
        name="mismatch",
        summary="Pairs whose two views do not fit together",
        target="fmb_detectors.mismatch:MismatchDetector",
        config="fmb_detectors.mismatch_config:MismatchConfig",
        scope="pair",
        columns=("magnitude", "redshift", "snr", "size", "class"),
        details={
            "fit_nats": "nat",
            "strange_views": "",
            "correlations": "",
            "stranger_share": "",
            "partner_rank": "",
        },
        meanings={
            **_OF_PAIRS,
            "correlations": "how many tell whether views fit together",
            "stranger_share": "share of strangers that fit as well",
            "partner_rank": "place of its own half among those of strangers",
        },
        aside="strange_views",
        companion=True,
        source="statistics.berkeley.edu/tech-reports/688",
        licence="BSD-3-Clause",
    )
    yield DetectorSpec(
        name="mismatch-critic",
        summary="Boosted trees that tell pairs from strangers",
        target="fmb_detectors.critic:CriticDetector",
        config="fmb_detectors.mismatch_config:CriticConfig",
        scope="pair",
        columns=("magnitude", "redshift", "snr", "size", "class"),
        details={"fit_nats": "nat", "strange_views": ""},
        meanings=_OF_PAIRS,
        aside="strange_views",
        source="statistics.berkeley.edu/tech-reports/688",
        licence="BSD-3-Clause",
        requires=("sklearn",),
    )


def _of_catalogues() -> Iterator[DetectorSpec]:
    yield DetectorSpec(
        name="roles",
        summary="Density of the catalogue row: extremes that given hides",
        target="fmb_detectors.roles:RolesDetector",
        config="fmb_detectors.config:RolesConfig",
        scope="catalogue",
        details={"squared_mahalanobis": ""},
        meanings={"squared_mahalanobis": "squared distance from the mean, in spreads"},
        source="10.1016/S0047-259X(03)00096-4",
        licence="BSD-3-Clause",
    )


_MEMBERS = ("gaussian", "mismatch")


def _fusions() -> Iterator[DetectorSpec]:
    for name, summary, target, more in (
        ("any-view", "Strange in any view: Cauchy combination of ranks", "any_view:AnyView", ""),
        ("avg", "Mean percentile of all lists", "mean_rules:AvgFusion", ""),
        ("consensus", "In how many lists' tops an object is", "consensus:Consensus", "agreeing"),
        ("geo", "Weighted geometric mean of percentiles", "mean_rules:GeoFusion", ""),
        ("max", "Highest percentile of all lists", "mean_rules:MaxFusion", ""),
        ("min", "Lowest percentile of all lists", "mean_rules:MinFusion", ""),
        ("pareto", "Fronts that nothing surpasses in every view", "pareto:Pareto", "front"),
        ("quota", "Lists take turns in naming their next object", "quota:Quota", ""),
        ("rank-product", "Geometric mean of ranks", "mean_rules:RankProduct", ""),
    ):
        yield DetectorSpec(
            name=name,
            summary=summary,
            target=f"fmb_detectors.{target}",
            config=_FUSION_CONFIGS.get(name, "fmb:Config"),
            scope="fusion",
            fitted=False,
            persistent=False,
            companion=name == "any-view",
            members=_MEMBERS,
            by_row=name not in ("pareto", "quota"),
            details={more: ""} if more else {},
            meanings={more: _FUSION_MEANINGS[more]} if more else {},
            source=_FUSION_SOURCES.get(name, ""),
            licence="BSD-3-Clause",
        )


_FUSION_MEANINGS = {
    "agreeing": "lists in whose top it is",
    "front": "1 = nothing surpasses it in every view",
}
_FUSION_CONFIGS = {
    "consensus": "fmb_detectors.fusion_config:ConsensusConfig",
    "geo": "fmb_detectors.fusion_config:GeoConfig",
    "quota": "fmb_detectors.fusion_config:QuotaConfig",
}
_FUSION_SOURCES = {
    "any-view": "10.1080/01621459.2018.1554485",
    "pareto": "10.1109/TEVC.2014.2308305",
    "rank-product": "10.1016/j.febslet.2004.07.055",
}
