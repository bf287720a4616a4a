import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from fmb.messages.errors import WeightsError
from fmb.torch import fill, read_tensors, refuse_huge


def network():
    with torch.device("meta"):
        return nn.Linear(3, 2)


def test_stored_tensors_become_the_parameters_without_a_copy(tmp_path):
    save_file({"weight": torch.ones(2, 3), "bias": torch.zeros(2)}, tmp_path / "t.safetensors")
    state = read_tensors(tmp_path / "t.safetensors")
    filled = network()
    fill(filled, state, "t")
    assert filled.weight.data_ptr() == state["weight"].data_ptr()
    assert filled(torch.ones(1, 3)).tolist() == [[3.0, 3.0]]


def test_half_precision_is_widened():
    filled = network()
    fill(filled, {"weight": torch.ones(2, 3).half(), "bias": torch.zeros(2).half()}, "t")
    assert {p.dtype for p in filled.parameters()} == {torch.float32}


def test_whole_numbers_stay_whole():
    with torch.device("meta"):
        network = torch.nn.Module()
        network.register_buffer("levels", torch.zeros(2, dtype=torch.int64))
        network.register_buffer("scale", torch.zeros(2, dtype=torch.float64))
    levels = torch.tensor([2**31 - 1, 7], dtype=torch.int32)  # more digits than float32 has
    fill(network, {"levels": levels, "scale": torch.tensor([0.5, 2.0]).half()}, "t")
    assert network.levels.dtype == torch.int64
    assert network.levels.tolist() == [2**31 - 1, 7]
    assert network.scale.dtype == torch.float32


def test_all_that_does_not_fit_is_said_in_one_line():
    state = {"weight": torch.ones(3, 3), "scale": torch.ones(1)}
    with pytest.raises(WeightsError) as raised:
        fill(network(), state, "t.safetensors")
    assert str(raised.value) == (
        "t.safetensors: the tensors do not fit the network of the card: missing: bias;"
        " unexpected: scale; other size: weight (3, 3), expected (2, 3)"
    )


def test_tensors_with_nan_or_infinity_are_counted_and_the_first_is_named():
    state = {"weight": torch.ones(2, 3), "bias": torch.tensor([1.0, float("nan")])}
    with pytest.raises(WeightsError, match=r"t: 1 of 2 tensors hold NaN or infinity, first bias"):
        fill(network(), state, "t")
    state["weight"] = torch.full((2, 3), 1e39, dtype=torch.float64)  # float32 ends at 3.4e38
    with pytest.raises(WeightsError, match="2 of 2 tensors hold NaN or infinity, first weight"):
        fill(network(), state, "t")


def test_quantised_numbers_are_not_taken_for_what_they_stand_for():
    state = {"weight": torch.ones(2, 3, dtype=torch.int8), "bias": torch.zeros(2)}
    with pytest.raises(WeightsError, match=r"other numbers: weight is int8$"):
        fill(network(), state, "t")


def test_a_network_is_drawn_up_to_a_bound():
    with torch.device("meta"):
        refuse_huge(nn.Linear(99_999, 100_000), "card")  # 9,999,900,000 and 100,000 numbers
        with pytest.raises(WeightsError, match="10,000,100,000 numbers; at most 10,000,000,000"):
            refuse_huge(nn.Linear(100_000, 100_000), "card")


def test_many_names_are_counted():
    state = {f"t{i}": torch.ones(1) for i in range(7)}
    with pytest.raises(WeightsError, match=r"unexpected: t0, t1, t2, t3 and 3 more$"):
        fill(network(), state, "t")


@pytest.mark.parametrize("size", [0, 5, 60])
def test_a_truncated_file_is_said_in_one_line(tmp_path, size):
    path = tmp_path / "t.safetensors"
    save_file({"weight": torch.ones(2, 3)}, path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(WeightsError, match="not a whole safetensors file") as raised:
        read_tensors(path)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_said_in_one_line(tmp_path):
    with pytest.raises(WeightsError, match=r"none\.safetensors: cannot be read: No such file"):
        read_tensors(tmp_path / "none.safetensors")
