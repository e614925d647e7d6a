"""Neuron, Layer, MLP: micrograd's defaults, one fused node a neuron, clear refusals."""

import copy
import math
import pickle
import random

import numpy as np
import pytest

from autograd import Value, gradcheck, scope_of, topological_order
from autograd.core.primitives import softplus
from nn import MLP, Layer, Neuron, fit


def test_weights_come_from_the_random_module_in_micrograds_order():
    random.seed(1337)
    model = MLP(2, [16, 16, 1])
    random.seed(1337)
    for layer, (nin, nout) in zip(model.layers, [(2, 16), (16, 16), (16, 1)], strict=True):
        for neuron in layer.neurons:
            assert [w.data for w in neuron.w] == [random.uniform(-1, 1) for _ in range(nin)]
            assert neuron.b.data == 0.0
        assert len(layer.neurons) == nout
    assert len(model.parameters()) == 337


def test_the_first_weights_of_seed_1337_are_micrograds():
    # Printed by micrograd 0.1.0 for random.seed(1337); Neuron(2).w
    random.seed(1337)
    assert [w.data for w in Neuron(2).w] == [0.23550571390294128, 0.06653114721000164]


def test_a_seed_has_a_generator_of_its_own():
    random.seed(5)
    state = random.getstate()
    first, again, other = MLP(2, [3, 1], seed=7), MLP(2, [3, 1], seed=7), MLP(2, [3, 1], seed=8)
    assert random.getstate() == state
    assert first.state_dict() == again.state_dict() != other.state_dict()


def test_reprs_are_micrograds():
    assert repr(MLP(2, [2, 1])) == ("MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2)], "
                                    "Layer of [LinearNeuron(2)]]")
    assert repr(Neuron(3, "tanh")) == "TanhNeuron(3)"


@pytest.mark.parametrize(("neuron", "name"), [
    (Neuron(2, nonlin=True), "relu"), (Neuron(2, nonlin=False), "linear"),
    (Neuron(2, True), "relu"), (Neuron(2, False), "linear")])
def test_nonlin_chooses_as_in_micrograd(neuron, name):
    assert neuron.activation == name


@pytest.mark.parametrize(("activation", "formula"), [
    ("linear", lambda z: z), ("relu", lambda z: max(z, 0.0)), ("tanh", math.tanh),
    ("sigmoid", lambda z: 1 / (1 + math.exp(-z))), ("softplus", lambda z: math.log1p(math.exp(z))),
    (softplus, lambda z: math.log1p(math.exp(z)))])
@pytest.mark.parametrize("bias", [2.0, -2.0])
def test_a_neuron_is_its_activation_of_w_x_plus_b(activation, formula, bias):
    neuron = Neuron(2, activation)
    neuron.w[0].data, neuron.w[1].data, neuron.b.data = 0.5, -1.5, bias
    expected = formula(0.5 * 3.0 - 1.5 * 1.0 + bias)
    assert neuron([3.0, 1.0]).data == pytest.approx(expected, rel=1e-14)


def test_a_neuron_is_one_fused_node_and_its_activation():
    neuron = Neuron(3, "tanh")
    x = [Value(0.1), Value(0.2), 0.3]
    out = neuron(x)
    assert [node.op.name for node in topological_order(out) if node.op] == ["dot", "tanh"]
    fused = out.parents[0]
    assert [id(p) for p in fused.parents[:6]] == [
        id(p) for p in (*neuron.w, neuron.b, x[0], x[1])]
    assert fused.parents[6:] == (0.3, 1.0)


def test_the_fused_node_has_the_value_that_its_primitive_gives():
    for node in topological_order(*MLP(3, [5, 4, 2], "tanh", seed=3)([0.1, -7.0, 1e-3])):
        if node.op is not None:
            numbers = [p.data if isinstance(p, Value) else p for p in node.parents]
            assert node.data == node.op.evaluate(numbers)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "softplus", "relu"])
def test_gradients_of_an_mlp_agree_with_differences(activation):
    model = MLP(2, [3, 1], activation, seed=4)

    def f(x):
        return model(x)

    assert gradcheck(f, np.array([0.3, -0.7]))
    out = model([0.3, -0.7])
    model.zero_grad()
    out.backward()
    for name, parameter in model.named_parameters():
        at, h = parameter.data, 1e-6
        parameter.data = at + h
        above = model([0.3, -0.7]).data
        parameter.data = at - h
        below = model([0.3, -0.7]).data
        parameter.data = at
        assert parameter.grad == pytest.approx((above - below) / (2 * h), rel=1e-7, abs=1e-9), name


def test_inputs_of_every_kind_give_the_same_bits():
    model = MLP(2, [3, 1], seed=4)
    expected = model([1.0, -2.0]).data
    for row in ([1, -2], (1.0, -2.0), np.array([1.0, -2.0]), np.array([1, -2]),
                np.array([1, -2], dtype=np.float32), [Value(1.0), Value(-2.0)],
                [np.float64(1.0), Value(-2)], np.array([Value(1), Value(-2)], dtype=object)):
        assert model(row).data == expected


def test_one_output_is_a_value_and_several_are_a_list():
    assert isinstance(MLP(2, [3, 1])([1.0, 2.0]), Value)
    several = MLP(2, [3, 2])([1.0, 2.0])
    assert isinstance(several, list) and len(several) == 2
    assert isinstance(Layer(2, 1)([1.0, 2.0]), Value)
    assert len(Layer(2, 4)([1.0, 2.0])) == 4


def test_a_hidden_layer_of_width_one_works():
    model = MLP(2, [1, 3, 1], "tanh", seed=0)
    first = math.tanh(sum(w.data * x for w, x in zip(model.layers[0].neurons[0].w, [1.0, 2.0],
                                                     strict=True)))
    assert model.layers[1]([first])[2].data == pytest.approx(
        math.tanh(model.layers[1].neurons[2].w[0].data * first), rel=1e-15)
    assert isinstance(model([1.0, 2.0]), Value)


@pytest.mark.parametrize("model", [MLP(3, [2, 1]), Layer(3, 2), Neuron(3)])
@pytest.mark.parametrize("wrong", [2, 5])
def test_a_wrong_number_of_inputs_names_both_numbers(model, wrong):
    with pytest.raises(ValueError, match=rf"takes 3 input\(s\), not {wrong}"):
        model([1.0] * wrong)


@pytest.mark.parametrize(("row", "error", "words"), [
    (["1", 2.0], TypeError, "write float"),
    ("12", TypeError, "write a list"),
    (3.0, TypeError, r"\[x\]"),
    ([math.nan, 1.0], ValueError, "nan"),
    ([Value(math.nan), 1.0], ValueError, "nan"),
    ([None, 1.0], TypeError, "NoneType"),
    (np.ones((5, 2)), ValueError, "model.predict"),
    ([1j, 1.0], TypeError, "complex")])
def test_inputs_that_are_no_numbers_are_refused(row, error, words):
    with pytest.raises(error, match=words):
        MLP(2, [1])(row)


@pytest.mark.parametrize(("make", "error", "words"), [
    (lambda: MLP(0, [1]), ValueError, "nin must be at least 1"),
    (lambda: MLP(2, []), TypeError, "nouts is a list"), (lambda: MLP(2, 1), TypeError, "nouts is"),
    (lambda: MLP(2, [0]), ValueError, "every number in nouts must be at least 1"),
    (lambda: MLP(2.0, [1]), TypeError, "nin must be a whole number"),
    (lambda: MLP(2, [1], "wiggle"), ValueError, "no activation 'wiggle'"),
    (lambda: MLP(2, [1], output="add"), ValueError, "'add' cannot be an activation"),
    (lambda: Neuron(2, None), ValueError, "an activation is the name .* not None"),
    (lambda: Layer(2, True), TypeError, "nout must be a whole number")])
def test_sizes_and_activations_that_do_not_exist_are_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_layers_open_name_scopes_and_label_their_parameters():
    model = MLP(2, [2, 1])
    out = model([1.0, 2.0])
    scopes = {scope_of(node) for node in topological_order(out) if node.op}
    assert scopes == {("layer 1",), ("layer 2",)}
    assert model.layers[0].neurons[1].w[0].label == "layer1.neuron2.w0"
    assert model.layers[1].neurons[0].b.label == "layer2.neuron1.b"


def test_a_scope_is_left_after_an_error():
    model = MLP(2, [2, 1])
    model.layers[0].neurons[0].w[0] = "broken"
    with pytest.raises(AttributeError):
        model([1.0, 2.0])
    assert scope_of(Value(1.0)) == ()


def test_models_can_be_copied_and_pickled():
    model = MLP(2, [3, 1], seed=1)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert twin.state_dict() == model.state_dict()
        twin.layers[0].neurons[0].w[0].data = 5.0
        assert model.layers[0].neurons[0].w[0].data != 5.0
        assert twin([1.0, 2.0]).data != model([1.0, 2.0]).data


def test_without_a_bias_a_neuron_is_its_activation_of_w_x():
    neuron = Neuron(2, "tanh", bias=False)
    assert neuron.b is None
    assert neuron.parameters() == neuron.w
    neuron.w[0].data, neuron.w[1].data = 0.5, -1.5
    assert neuron([3.0, 1.0]).data == math.tanh(0.5 * 3.0 - 1.5 * 1.0)
    assert gradcheck(neuron, [3.0, 1.0])


def test_a_network_without_biases_draws_the_same_weights_and_has_no_other_parameters():
    model, other = (MLP(4, [2, 3], "sigmoid", seed=1, bias=bias) for bias in (False, True))
    assert [len(layer.parameters()) for layer in model.layers] == [8, 6]
    assert len(MLP(4, [4, 3], bias=False).parameters()) == 28
    weights = [w for layer in other.layers for neuron in layer.neurons for w in neuron.w]
    assert [w.data for w in model.parameters()] == [w.data for w in weights]
    row = [0.5, -1.0, 2.0, 0.25]
    assert [y.data for y in model(row)] == [y.data for y in other(row)]  # whose biases are 0


def test_a_network_without_biases_trains_compiled_as_it_does_eagerly():
    X, y = [[0.0, 1.0], [1.0, 0.5], [-1.0, 2.0]], [[0.5], [-0.25], [1.0]]
    histories = [fit(MLP(2, [3, 1], "tanh", seed=3, bias=False), X, [t[0] for t in y], epochs=20,
                     optimizer="adam", progress=False, compiled=compiled)
                 for compiled in (True, False)]
    assert histories[0].loss == pytest.approx(histories[1].loss, rel=1e-12)
    assert histories[0].loss[-1] < histories[0].loss[0]


@pytest.mark.parametrize("bias", [0.5, None, 1])
def test_a_bias_that_is_not_true_or_false_is_refused(bias):
    with pytest.raises(TypeError, match=r"bias is True or False, not .*neuron\.b\.data"):
        MLP(2, [3, 1], bias=bias)


def test_the_state_of_a_network_without_biases_fits_only_such_a_network():
    model = MLP(2, [2, 1], seed=1, bias=False)
    assert not any(name.endswith(".b") for name in model.state_dict())
    with pytest.raises(ValueError, match="missing"):
        MLP(2, [2, 1]).load_state_dict(model.state_dict())
