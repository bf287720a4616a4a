"""A survey of which is known what is odd, and what `fmb evaluate` says of it."""

import json

N, HOSTS = 300, 60


def results(fmb, *words):
    result = fmb("evaluate", *words, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def value(found, metric, **fields):
    (one,) = [
        r
        for r in found
        if r["metric"] == metric
        and r["conditions"].get("strength") == fields.get("strength")
        and r["kind"] == fields.get("kind", r["kind"])
    ]
    return one


def bounds(found, metric, kind):
    one = value(found, metric, kind=kind)
    return one["value"], one["low"], one["high"]
