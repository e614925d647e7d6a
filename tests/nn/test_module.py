"""Module: parameters and their names, states, files."""

import json
import math
import os
import threading

import numpy as np
import pytest

from autograd import Value
from nn import MLP, Adam, Module
from tests.interruptions import interrupted_at


class Own(Module):
    """Parameters in every kind of attribute."""

    def __init__(self):
        self.gain = Value(2.0)
        self.table = {"a": Value(3.0), "b": [Value(4.0), Value(5.0)]}
        self.parts = [MLP(1, [1], seed=0)]
        self.grid = np.array([[Value(6.0), Value(7.0)]], dtype=object)
        self.shared = self.gain
        self.computed = self.gain * 2
        self.note = "not a parameter"

    def __call__(self, x):
        return self.gain * x[0]


def test_parameters_are_found_in_order_each_once():
    model = Own()
    names = dict(model.named_parameters())
    assert list(names) == ["gain", "table.a", "table.b.0", "table.b.1",
                           "parts.0.layers.0.neurons.0.w.0", "parts.0.layers.0.neurons.0.b",
                           "grid.0", "grid.1"]
    assert [id(p) for p in model.parameters()] == [id(p) for p in names.values()]
    assert names["gain"] is model.gain


def test_zero_grad_lets_the_next_pass_start_from_zero():
    model = Own()
    for _ in range(2):
        model.zero_grad()
        assert model.gain.grad == 0.0
        model([3.0]).backward()
        assert model.gain.grad == 3.0


def test_a_state_goes_to_another_model_bit_by_bit():
    source, target = MLP(2, [3, 1], seed=1), MLP(2, [3, 1], seed=2)
    assert source.state_dict() != target.state_dict()
    target.load_state_dict(source.state_dict())
    assert [p.data for p in target.parameters()] == [p.data for p in source.parameters()]
    assert target([0.3, -2.0]).data == source([0.3, -2.0]).data


def test_a_state_holds_copies_of_the_numbers():
    model = MLP(2, [1], seed=1)
    state = model.state_dict()
    model.layers[0].neurons[0].w[0].data = 9.0
    assert state["layers.0.neurons.0.w"][0] != 9.0


def _spoiled(change):
    state = MLP(2, [3, 1], seed=1).state_dict()
    change(state)
    return state


@pytest.mark.parametrize(("change", "error", "words"), [
    (lambda s: s.pop("layers.1.neurons.0.b"), ValueError, "missing: layers.1.neurons.0.b"),
    (lambda s: s.update(extra=1.0), ValueError, "unexpected: extra"),
    (lambda s: s["layers.0.neurons.2.w"].append(1.0), ValueError,
     r"layers.0.neurons.2.w \(a list of 3 in place of a list of 2\)"),
    (lambda s: s.update({"layers.0.neurons.2.b": [1.0]}), ValueError, "of another size"),
    (lambda s: s.update({"layers.1.neurons.0.b": "1"}), TypeError, "layers.1.neurons.0.b"),
    (lambda s: s["layers.1.neurons.0.w"].__setitem__(2, None), TypeError, "neurons.0.w"),
])
def test_a_state_that_does_not_fit_changes_nothing(change, error, words):
    model = MLP(2, [3, 1], seed=2)
    before = model.state_dict()
    with pytest.raises(error, match=words):
        model.load_state_dict(_spoiled(change))
    assert model.state_dict() == before


def test_one_error_names_all_kinds_of_faults():
    state = MLP(2, [3, 1], seed=1).state_dict()
    del state["layers.0.neurons.0.b"]
    state["other"] = 1.0
    with pytest.raises(ValueError, match=r"missing: .*neurons.0.b; unexpected: other"):
        MLP(2, [3, 1]).load_state_dict(state)


def test_a_file_keeps_every_bit(tmp_path):
    source, target = MLP(2, [3, 1], seed=1), MLP(2, [3, 1], seed=2)
    odd = [0.1, 5e-324, -0.0, 1.7976931348623157e308, math.pi]
    for parameter, number in zip(source.parameters(), odd, strict=False):
        parameter.data = number
    source.save(tmp_path / "model.json")
    target.load(tmp_path / "model.json")
    assert [p.data.hex() for p in target.parameters()] == [
        p.data.hex() for p in source.parameters()]
    assert [p.name for p in tmp_path.iterdir()] == ["model.json"]


@pytest.mark.parametrize(("text", "words"), [
    ("", "does not hold saved parameters"),
    ("{", "does not hold saved parameters"),
    ("[1, 2]", "does not hold saved parameters"),
    ('{"format": "other"}', "its format is 'other'"),
    ('{"format": "chainrule parameters", "version": 99}', "version 99"),
    ('{"format": "chainrule parameters", "version": true}', "version True"),
    ('{"format": "chainrule parameters", "version": ' + "1" * 5000 + "}", "is damaged: Exceeds"),
    ('{"format": "chainrule parameters", "version": 1}', "no table of numbers"),
    ('{"format": "chainrule parameters", "version": 1, "version": 1}', "'version' stands in it tw"),
    ('{"format": "chainrule parameters", "version": 1, "numbers": {"layers.0.neurons.0.b": "1.5",'
     '"layers.0.neurons.0.w": ["1", "2"], "layers.0.neurons.0.b": "2.5"}}', "stands in it twice"),
    ('{"format": "chainrule parameters", "version": 1, "numbers": {"x": "zzz"}}', "'x' holds"),
    ('{"format": "chainrule parameters", "version": 1, "numbers": {"x": 5}}', "'x' holds"),
    ('{"format": "chainrule parameters", "version": 1, "numbers": {}}', "missing"),
])
def test_a_foreign_or_damaged_file_changes_nothing(tmp_path, text, words):
    path = tmp_path / "model.json"
    path.write_text(text)
    model = MLP(2, [1], seed=1)
    before = model.state_dict()
    with pytest.raises(ValueError, match=words):
        model.load(path)
    assert model.state_dict() == before


def _file_of(path, *numbers):
    state = {"layers.0.neurons.0.w": list(numbers), "layers.0.neurons.0.b": "0x1.0000000000000p+0"}
    path.write_text(json.dumps({"format": "chainrule parameters", "version": 1, "numbers": state}))
    return path


def test_decimals_are_read_as_decimals(tmp_path):
    model = MLP(2, [1])
    for texts, numbers in ((("1.5", "-12"), [1.5, -12.0]), (("1e3", ".25"), [1000.0, 0.25]),
                           (("10", "0x10"), [10.0, 16.0]), (("0x1.8p-1", "inf"), [0.75, math.inf])):
        model.load(_file_of(tmp_path / "model.json", *texts))
        assert model.state_dict()["layers.0.neurons.0.w"] == numbers


@pytest.mark.parametrize("text", ["1.8p+0", "a", "ff", "0x", "1_000", " 1.5", "1.5 ", "1,5", "1e",
                                  "infinity", "NaN", "+inf", "1e999", "0x1p+9999", "\u0661", "",
                                  1.5, None, True, ["1.5"]])
def test_any_other_text_is_an_error_and_changes_nothing(tmp_path, text):
    model = MLP(2, [1], seed=1)
    before = model.state_dict()
    with pytest.raises(ValueError, match=r"the entry 'layers\.0\.neurons\.0\.w' holds"):
        model.load(_file_of(tmp_path / "model.json", "1.5", text))
    assert model.state_dict() == before


def test_threads_that_save_to_one_file_leave_the_whole_state_of_one_of_them(tmp_path):
    path = tmp_path / "model.json"
    models = [MLP(8, [32, 1], seed=seed) for seed in range(4)]
    states = [model.state_dict() for model in models]
    failures = []

    def save(model):
        try:
            for _ in range(15):
                model.save(path)
                fresh = MLP(8, [32, 1])
                fresh.load(path)
                if fresh.state_dict() not in states:
                    failures.append("mixed")
        except (OSError, ValueError) as error:
            failures.append(error)

    threads = [threading.Thread(target=save, args=(model,)) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [p.name for p in tmp_path.iterdir()] == ["model.json"]


@pytest.mark.skipif(os.name != "posix", reason="symbolic links are those of POSIX")
def test_a_planted_link_is_not_written_through(tmp_path):
    precious, path = tmp_path / "precious", tmp_path / "model.json"
    precious.write_text("precious")
    path.symlink_to(precious)
    (tmp_path / f".model.json.{os.getpid()}.part").symlink_to(precious)
    for owner in (model := MLP(2, [1]), Adam(model.parameters())):
        owner.save(path)
    assert precious.read_text() == "precious"
    assert not path.is_symlink()


@pytest.mark.parametrize("table", [{1: Value(2.0), "1": Value(3.0)},
                                   {"a.b": Value(2.0), "a": {"b": Value(3.0)}}])
def test_two_parameters_of_one_name_are_an_error_and_not_one_parameter(table, tmp_path):
    model = Own()
    model.table = table
    with pytest.raises(ValueError, match=r"two parameters of this Own are called 'table\."):
        model.save(tmp_path / "model.json")
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="two parameters"):
        model.load_state_dict({})


def test_bytes_that_are_no_text_are_a_clear_error(tmp_path):
    path = tmp_path / "model.pickle"
    path.write_bytes(b"\x80\x04\x95\xff\xfe")
    with pytest.raises(ValueError, match="does not hold saved parameters"):
        MLP(2, [1]).load(path)


@pytest.mark.skipif(os.name != "posix", reason="pipes and links are those of POSIX")
def test_what_is_no_file_is_not_read_but_a_link_to_one_is(tmp_path):
    model, other = MLP(2, [1], seed=1), MLP(2, [1], seed=2)
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "missing"):
        with pytest.raises(OSError):
            other.load(path)
    model.save(tmp_path / "model.json")
    (tmp_path / "link").symlink_to(tmp_path / "model.json")
    other.load(tmp_path / "link")
    assert other.state_dict() == model.state_dict()


@pytest.mark.skipif(os.name != "posix", reason="limits of files are those of POSIX")
def test_a_full_disk_leaves_the_old_file(tmp_path):
    import resource
    import signal

    path = tmp_path / "model.json"
    MLP(1, [1], seed=1).save(path)
    before, limits = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, limits[1]))
    try:
        with pytest.raises(OSError, match=r"model\.json"):
            MLP(20, [100, 1]).save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model.json"]


def test_ctrl_c_loads_all_parameters_or_none():
    """The first Ctrl-C in the middle waits until all are set."""
    model = MLP(2, [3, 1], seed=0)
    states = [MLP(2, [3, 1], seed=seed).state_dict() for seed in (0, 1)]
    count = 0
    while True:
        model.load_state_dict(states[0])
        if not interrupted_at(count + 1, lambda: model.load_state_dict(states[1]),
                              KeyboardInterrupt):
            break
        count += 1
        assert model.state_dict() in states, count
    assert count > 50
    assert model.state_dict() == states[1]


def test_a_cut_file_changes_nothing(tmp_path):
    model = MLP(2, [3, 1], seed=1)
    path = tmp_path / "model.json"
    model.save(path)
    whole = path.read_text()
    path.write_text(whole[:len(whole) // 2])
    other = MLP(2, [3, 1], seed=2)
    before = other.state_dict()
    with pytest.raises(ValueError, match="damaged"):
        other.load(path)
    assert other.state_dict() == before


def test_a_file_holds_data_only(tmp_path):
    MLP(2, [1], seed=1).save(tmp_path / "model.json")
    document = json.loads((tmp_path / "model.json").read_text())
    assert document["version"] == 1
    assert set(document["numbers"]) == {"layers.0.neurons.0.w", "layers.0.neurons.0.b"}


def test_predict_gives_numbers_and_records_nothing():
    model = MLP(2, [4, 3], seed=1)
    X = np.array([[0.5, 1.0], [-2.0, 0.25]])
    answers = model.predict(X)
    assert answers.dtype == float
    assert answers.shape == (2, 3)
    assert answers.tolist() == [[v.data for v in model(row)] for row in X]
    assert MLP(2, [1], seed=1).predict(X).shape == (2,)


def test_predict_refuses_a_single_row():
    with pytest.raises(ValueError, match=r"predict\(\[x\]\)"):
        MLP(2, [1]).predict([1.0, 2.0])
