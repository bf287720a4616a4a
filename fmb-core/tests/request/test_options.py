import pytest

from fmb.messages.errors import ConfigError
from fmb.request.options import options_request


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_label_keeps_two_configurations_of_one_detector_apart():
    request = options_request(
        {"detector": ["flow", "wide=flow"], "set": ["detector.wide.epochs=50"]}
    )
    assert {label: d.use for label, d in request.detector.items()} == {
        "flow": "flow",
        "wide": "flow",
    }
    assert request.detector["wide"].settings == {"epochs": 50}
    assert request.detector["flow"].settings == {}


def test_weights_go_to_the_label_they_name_and_else_to_every_model():
    one = options_request({"model": ["a", "b"], "weights": ["b=PATH"]})
    assert (one.model["a"].weights, one.model["b"].weights) == (None, "PATH")
    all_models = options_request({"model": ["a", "b"], "weights": "run=7/best"})
    assert {m.weights for m in all_models.model.values()} == {"run=7/best"}


def test_views_of_one_model_are_collected():
    request = options_request({"model": "a", "view": ["image", "joint"]})
    assert request.model["a"].view == ("image", "joint")


def test_an_input_is_bound_by_label_and_slot():
    request = options_request({"model": ["a", "b"], "input": ["a.image=hst", "spectrum=desi"]})
    assert request.model["a"].input == {"image": "hst", "spectrum": "desi"}
    assert request.model["b"].input == {"spectrum": "desi"}


def test_options_win_over_the_config_file_which_wins_over_the_project_file(tmp_path):
    (tmp_path / "fmb.toml").write_text("[run]\nseed = 1\nfolds = 3\nbatch_size = 8\n")
    (tmp_path / "c.toml").write_text('[run]\nseed = 2\nfolds = 4\n[model.big]\nuse = "a"\n')
    request = options_request({"config": str(tmp_path / "c.toml"), "seed": 3, "weights": "w"})
    assert (request.run.seed, request.run.folds, request.run.batch_size) == (3, 4, 8)
    assert request.model["big"].weights == "w"


def test_settings_of_the_dataset_stand_beside_its_own_keys():
    request = options_request({"set": ["data.n_objects=50"], "limit": 10})
    assert request.data.settings == {"n_objects": 50}
    assert request.data.limit == 10


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"detecter": "flow"}, "did you mean 'detector'"),
        ({"set": ["run.batchsize=3"]}, "did you mean 'batch_size'"),
        ({"set": ["nosuch.key=1"]}, "unknown key"),
        ({"set": ["run.seed"]}, "write KEY=VALUE"),
        ({"set": ["run.folds=1"]}, "greater than or equal to 2"),
        ({"detector": ["flow", "flow"]}, "two detectors are labelled 'flow'"),
        ({"weights": "tiny"}, "name one with --model"),
        ({"model": "a", "input": ["b.image=hst"]}, "no model is labelled 'b'"),
        ({"model": "a", "input": ["hst"]}, "write SLOT=INSTRUMENT"),
        ({"ids": "id"}, "--ids goes with --embeddings"),
        ({"model": "Big Model"}, "is not a component"),
        ({"config": "missing.toml"}, "no such file"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(options, message):
    with pytest.raises(ConfigError, match=message) as caught:
        options_request(options)
    assert "\n" not in str(caught.value)


def test_an_input_without_a_model_to_feed_is_refused():
    with pytest.raises(ConfigError, match="goes with a model: name one with --model"):
        options_request({"input": ["image=euclid"]})
