"""What models must do, as pytest checks to subclass."""

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.inputs import Batch
from fmb.contract.model import Model
from fmb.testing.global_generators import global_states, seeded_globally

__all__ = ["ModelContract"]


class ModelContract:
    """Subclass it in a test module, say how to make your model, and pytest runs the checks.

    Example:
        class TestMine(ModelContract):
            sources = {"image": "cam"}
            views = ("image",)

            def make(self):
                model = MyModel(MyConfig(), seed=0, device="cpu", precision="float32")
                model.load(WEIGHTS)
                return model

            def batch(self):
                return Batch(ids=..., inputs={"cam": Images(...)}, rows={"cam": ...})

    The batch is of at least three different objects that all have every input.
    """

    sources: ClassVar[Mapping[str, str]] = {}
    """Slot -> instrument of the batch."""
    views: ClassVar[Sequence[str]] = ()
    """Those that the sources feed."""
    tolerance = 1e-4
    """Change of a number, in standard deviations of all, that order and company may cause."""

    def make(self) -> Model:
        """The model with its weights, on the CPU."""
        raise NotImplementedError(f"{type(self).__name__} must define make(self)")

    def batch(self) -> Batch:
        """Objects; new arrays at each call."""
        raise NotImplementedError(f"{type(self).__name__} must define batch(self)")

    def tokens(self, batch: Batch) -> dict[str, Array]:
        """View -> tokens of the objects, (n, t, d)."""
        model = self.make()
        found = model.encode(model.preparer(self.sources)(batch), self.views)
        assert set(found) == set(self.views), f"asked for {self.views}, got {list(found)}"
        return {view: found[view].values.detach().cpu().numpy() for view in self.views}

    def test_each_view_has_finite_tokens_of_each_object(self) -> None:
        """And they tell the objects apart."""
        for view, values in self.tokens(self.batch()).items():
            assert values.ndim == 3, f"{view}: tokens have shape {values.shape}, expected (n, t, d)"
            assert len(values) == len(self.batch()), f"{view}: one row an object"
            assert np.isfinite(values).all(), f"{view}: tokens are not finite"
            assert not np.allclose(values[0], values[1]), f"{view}: two objects look the same"

    def test_order_and_company_change_nothing(self) -> None:
        """An object alone, and among others in another order, has the tokens that it has."""
        batch = self.batch()
        backwards = np.arange(len(batch))[::-1]
        together, turned = self.tokens(batch), self.tokens(batch.take(backwards))
        alone = self.tokens(batch.take(np.arange(1)))
        for view, values in together.items():
            limit = self.tolerance * values.std()
            assert np.abs(turned[view][::-1] - values).max() <= limit, f"{view}: order counts"
            assert np.abs(alone[view] - values[:1]).max() <= limit, f"{view}: company counts"

    def test_global_generators_play_no_part(self) -> None:
        """Neither are they used nor are they disturbed."""
        found = []
        for state in (1, 2):
            with seeded_globally(state):
                before = global_states()
                found.append(self.tokens(self.batch()))
                assert global_states() == before, "a global random generator was used"
        for view in self.views:
            assert np.array_equal(found[0][view], found[1][view]), f"{view}: differs by chance"

    def test_the_preparer_can_be_sent_to_another_process_and_spoils_nothing(self) -> None:
        """It gives the same there, and leaves the batch as it is."""
        batch, untouched = self.batch(), self.batch()
        prepare = self.make().preparer(self.sources)
        here, there = prepare(batch), pickle.loads(pickle.dumps(prepare))(self.batch())
        for name, values in here.arrays.items():
            np.testing.assert_array_equal(values, there.arrays[name])
        for name, data in batch.inputs.items():
            np.testing.assert_array_equal(data_of(data), data_of(untouched.inputs[name]))

    def test_an_object_without_any_value_is_refused_with_a_reason(self) -> None:
        """And only that one."""
        prepare = self.make().preparer(self.sources)
        for slot, name in self.sources.items():
            batch = self.batch()
            flux = data_of(batch.inputs[name]).copy()
            flux[1] = np.nan
            data: Any = batch.inputs[name]
            more = {"mask": np.isnan(flux) | data.mask} if data.mask is not None else {}
            damaged = {**batch.inputs, name: replace(data, flux=flux, **more)}
            inputs = prepare(Batch(ids=batch.ids, inputs=damaged, rows=batch.rows))
            assert inputs.valid[slot].tolist() == [at != 1 for at in range(len(batch))]
            assert inputs.reasons.get(slot, [""] * 2)[1], f"{slot}: say why object 1 is refused"


def data_of(data: Any) -> Array:
    """The numbers of an input."""
    return np.asarray(data.values if hasattr(data, "values") else data.flux)
