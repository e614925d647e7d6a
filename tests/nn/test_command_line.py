"""python -m nn: what it prints, what it writes, what it refuses."""

import subprocess
import sys

import pytest

from nn import MLP, Adam, datasets, fit, schedules
from nn.__main__ import DEMONSTRATIONS, main


@pytest.mark.parametrize("dataset", DEMONSTRATIONS)
def test_every_dataset_trains_and_reports(dataset, capsys):
    assert main([dataset, "--epochs", "3"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"{dataset}: ")
    assert "final loss" in printed and "after 3 epochs" in printed
    assert "picture" not in printed


def test_the_loss_falls_and_the_same_seed_prints_the_same(capsys):
    def lines():
        main(["xor", "--seed", "3", "--epochs", "60"])
        table = [line.split() for line in capsys.readouterr().out.splitlines()]
        return [row for row in table if len(row) == 3 and row[2].endswith("%")]

    first = lines()
    assert first == lines()
    assert float(first[-1][1]) < 0.2 * float(first[0][1])


def test_one_picture_and_the_parameters_are_written(tmp_path, capsys):
    picture, parameters = tmp_path / "xor.png", tmp_path / "xor.json"
    assert main(["xor", "--epochs", "5", "--plot", str(picture), "--save", str(parameters)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    fresh, same = MLP(2, [8, 1], "tanh", seed=9), MLP(2, [8, 1], "tanh", seed=1)
    fresh.load(parameters)
    fit(same, *datasets.xor(), loss="binary_cross_entropy_with_logits", epochs=5, progress=False,
        optimizer=Adam(same.parameters(), schedules.linear(0.1, 0.01, 5)))
    assert fresh.state_dict() == same.state_dict()
    printed = capsys.readouterr().out
    assert str(picture) in printed and str(parameters) in printed


@pytest.mark.parametrize(("arguments", "words"), [
    (["suns"], "invalid choice"), (["moons", "--epochs", "0"], "at least 1"),
    (["moons", "--learning-rate", "-1"], "--learning-rate: it must be a finite number above 0"),
    (["moons", "--epochs", "1e3"], "--epochs: it must be a whole number, not '1e3'"),
    (["moons", "--learning-rate", "fast"], "--learning-rate: it must be a number, not 'fast'"),
    (["moons", "--save", "."], ". is a folder"), (["moons", "--plot", "/"], "/ is a folder"),
    (["moons", "--seed", "-1"], "--seed: it must be at least 0"),
    (["moons", "--plot", "moons.xyz"], ".png, .svg, .pdf"),
    (["moons", "--plot", "no/such/folder/moons.png"], "no folder"),
    (["moons", "--save", "no/such/folder/moons.json"], "no folder")])
def test_arguments_that_cannot_work_end_with_status_2_before_training(arguments, words, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.out == ""


def test_one_file_is_not_lost_because_the_other_cannot_be_written(tmp_path, capsys, monkeypatch):
    def full(*_):
        raise OSError("No space left on device")

    picture, parameters = tmp_path / "xor.png", tmp_path / "xor.json"
    with monkeypatch.context() as context:
        context.setattr(MLP, "save", full)
        code = main(["xor", "--epochs", "2", "--plot", str(picture), "--save", str(parameters)])
    assert code == 2
    captured = capsys.readouterr()
    assert f"error: no parameters in {parameters}: No space left" in captured.err
    assert f"picture in {picture}" in captured.out
    assert picture.exists()


def test_without_plot_no_matplotlib_is_imported():
    code = ("import sys; from nn.__main__ import main; main(['xor', '--epochs', '2']); "
            "sys.exit('matplotlib' in sys.modules)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
