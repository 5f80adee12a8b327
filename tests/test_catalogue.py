"""The calls that lessons, exercises and other people's programs are written against: names, arguments, defaults.

A signature may grow at its end; what is written here stays as it is.
"""

import importlib
import inspect
import math
import re

import numpy as np
import pytest

from dlcourse import activations, architectures, optimizers
from dlcourse.graph import Value
from dlcourse.initializers import calculate_gain

CALLS = """
neurons
    preactivation(X, w, b)
    perceptron_predict(X, w, b)
    perceptron_criterion(X, y, w, b)
    perceptron_criterion_grad(X, y, w, b)
    perceptron_fit(X, y, w, b, lr=1.0, epochs=100)
    signed_distance(X, w, b)
    linear_neuron_loss(X, d, w, b)
    linear_neuron_grad(X, d, w, b)
    sigmoid_neuron_loss(X, d, w, b)
    sigmoid_neuron_grad(X, d, w, b)
    logistic_neuron_loss(X, d, w, b)
    logistic_neuron_grad(X, d, w, b)
    logistic_neuron_predict(X, w, b)
    gd_fit(grad, X, d, w, b, lr, epochs)
    sgd_fit(grad, X, d, w, b, lr, epochs, rng, batch_size=1)
layers
    linear_forward(X, W, b)
    linear_backward(dU, cache)
    one_hot(labels, K)
    linear_delta(D, Y)
    sigmoid_layer_delta(D, U)
    softmax_layer_delta(labels, U)
    softmax_layer_predict(X, W, b)
    activation_forward(X, name, **options)
    activation_backward(dY, cache)
activations
    sigmoid(x)
    sigmoid_grad(x)
    tanh(x)
    tanh_grad(x)
    relu(x)
    relu_grad(x)
    leaky_relu(x, slope=0.01)
    leaky_relu_grad(x, slope=0.01)
    softplus(x)
    softplus_grad(x)
    gelu(x)
    gelu_grad(x)
    gelu_tanh(x)
    gelu_tanh_grad(x)
    silu(x)
    silu_grad(x)
    swish(x, beta=1.0)
    swish_grad(x, beta=1.0)
    softmax(z, axis=-1)
    log_softmax(z, axis=-1)
    softmax_backward(dp, p, axis=-1)
    glu(a, b)
    reglu(a, b)
    geglu(a, b)
    swiglu(a, b)
    glu_backward(dy, a, b, kind='swiglu')
    glu_layer_forward(X, Wa, ba, Wb, bb, kind)
    glu_layer_backward(dY, cache)
losses
    half_squared_error(Y, D, reduction='sum')
    half_squared_error_grad(Y, D, reduction='sum')
    mean_squared_error(Y, D)
    mean_squared_error_grad(Y, D)
    negative_log_likelihood_gaussian(Y, D, sigma=1.0)
    binary_cross_entropy(p, d, reduction='mean')
    binary_cross_entropy_grad(p, d, reduction='mean')
    binary_cross_entropy_with_logits(u, d, reduction='mean')
    binary_cross_entropy_with_logits_grad(u, d, reduction='mean')
    cross_entropy(p, labels, reduction='mean')
    cross_entropy_grad(p, labels, reduction='mean')
    softmax_cross_entropy(logits, labels, reduction='mean')
    softmax_cross_entropy_grad(logits, labels, reduction='mean')
graph
    Value(data)
    sum_(*xs)
    prod(*xs)
    max_(*xs)
    min_(*xs)
    render(value)
    trace(value)
backpropagation
    mlp_init(sizes, rng, initializer='he_uniform')
    mlp_forward(X, params, activation='relu')
    mlp_backward(dU, cache)
    mlp_loss(X, labels, params, activation='relu', weight_decay=0.0)
    two_layer_forward(X, W, b, V, c, g='sigmoid')
    two_layer_backward(dU, cache)
    columns_from_rows(params)
    rows_from_columns(params)
    minibatches(X, y, batch_size, rng)
gradient_checking
    numerical_grad(f, x, eps=1e-05)
    complex_step_grad(f, x, eps=1e-20)
    relative_error(a, b)
    check_grad(f, grad, x)
initializers
    calculate_gain(activation, slope=0.01)
    fans(shape)
    zeros(shape)
    normal(shape, rng, std=0.01)
    uniform_fan_in(shape, rng)
    xavier_uniform(shape, rng, gain=1.0)
    xavier_normal(shape, rng)
    he_uniform(shape, rng)
    he_normal(shape, rng)
    scaled_normal(shape, rng, gain=1.0)
    orthogonal(shape, rng, gain=1.0)
optimizers
    sgd_step(w, dw, state, lr=0.01)
    momentum_step(w, dw, state, lr=0.01, momentum=0.9, dampening=0.0)
    nesterov_step(w, dw, state, lr=0.01, momentum=0.9)
    nesterov_lookahead(w, state, momentum=0.9)
    adagrad_step(w, dw, state, lr=0.01, eps=1e-08)
    rmsprop_step(w, dw, state, lr=0.001, rho=0.9, eps=1e-08)
    adadelta_step(w, dw, state, lr=1.0, rho=0.95, eps=1e-06)
    adam_step(w, dw, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-08)
    adamw_step(w, dw, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-08)
    sgd_init(w)
    momentum_init(w)
    nesterov_init(w)
    adagrad_init(w)
    rmsprop_init(w)
    adadelta_init(w)
    adam_init(w)
    adamw_init(w)
    lbfgs(loss_and_grad, w0, history=10, max_iter=100)
    line_search(loss_and_grad, w, p, alpha=1.0, c1=0.0001, c2=0.9, max_iter=30)
    clip_grad_norm(grads, max_norm)
    clip_grad_value(grads, limit)
    step_decay(step, lr, factor=0.5, every=10)
    cosine(step, lr, total, lr_min=0.0)
    warmup_cosine(step, lr, total, warmup, lr_min=0.0)
regularization
    l2_penalty(weights, lam)
    l2_grad(W, lam)
    classic_dropout_forward(X, p, rng, train=True)
    classic_dropout_backward(dY, cache)
dropout
    dropout_forward(X, p, rng, train=True)
    dropout_backward(dY, cache)
normalization
    batchnorm_init(D)
    batchnorm_forward(X, gamma, beta, state, train=True, momentum=0.1, eps=1e-05)
    batchnorm_backward(dY, cache)
    layernorm_forward(X, gamma, beta, eps=1e-05)
    layernorm_backward(dY, cache)
    rmsnorm_forward(X, gamma, eps=1e-05)
    rmsnorm_backward(dY, cache)
convolution
    conv2d_forward(X, W, b, stride=1, padding=0)
    conv2d_backward(dY, cache)
    maxpool2d_forward(X, size, stride=None)
    maxpool2d_backward(dY, cache)
    avgpool2d_forward(X, size, stride=None)
    avgpool2d_backward(dY, cache)
    global_avgpool_forward(X)
    global_avgpool_backward(dY, cache)
    conv_output_size(n, kernel, stride, padding)
    receptive_field(layers)
    residual_block_init(C, rng)
    residual_block_forward(X, params, stride=1)
    residual_block_backward(dY, cache)
    inception_block_init(C, c1, c3r, c3, c5r, c5, cp, rng)
    inception_block_forward(X, params)
    inception_block_backward(dY, cache)
architectures
    alexnet(width=64, input_size=224)
    vgg(depth=16)
    resnet(depth=34)
    inception_v1()
    build(table, rng)
recurrent
    rnn_forward(X, h0, Wx, Wh, b)
    rnn_backward(dH, cache)
    rnn_truncated_backward(dH, cache, steps, every=None)
    lstm_cell_forward(x, h, c, Wx, Wh, b)
    lstm_cell_backward(dh, dc, cache)
    lstm_forward(X, h0, c0, Wx, Wh, b)
    lstm_backward(dH, cache, dhT=None, dcT=None)
    gru_cell_forward(x, h, Wx, Wh, bx, bh, reset_after=False)
    gru_cell_backward(dh, cache)
    gru_forward(X, h0, Wx, Wh, bx, bh, reset_after=False)
    gru_backward(dH, cache)
attention
    scaled_dot_product_attention_forward(Q, K, V, mask=None)
    scaled_dot_product_attention_backward(dY, cache)
    causal_mask(T)
    self_attention_forward(X, Wq, Wk, Wv, mask=None)
    self_attention_backward(dY, cache)
    multi_head_attention_forward(X, Wq, Wk, Wv, Wo, heads, mask=None)
    multi_head_attention_backward(dY, cache)
    sinusoidal_positions(T, D)
    transformer_block_forward(X, params, heads, mask=None, mlp='gelu', norm='layer')
    transformer_block_backward(dY, cache)
    rotary_forward(X, base=10000.0, start=0)
    rotary_backward(dY, cache)
    cross_attention_forward(X, C, Wq, Wk, Wv, mask=None)
    cross_attention_backward(dY, cache)
    kv_cache(keys, values)
    cached_attention(q, cache, heads)
training
    Network(layers, rng)
    fit(net, X, y, optimizer='adam', lr=None, epochs=10, batch_size=32, rng=None, validation=None, progress=True)
    evaluate(net, X, y, batch_size=256)
    loss_and_grad(U, y)
    softmax_regression_epoch(X, labels, W, b, lr, batch_size)
"""


def calls():
    module = ""
    for line in CALLS.strip().splitlines():
        if line.startswith(" "):
            yield module, line.strip()
        else:
            module = line


@pytest.mark.parametrize("module, call", list(calls()))
def test_calls_stay_as_they_are(module, call):
    name, arguments = re.fullmatch(r"(\w+)\((.*)\)", call).groups()
    signature = inspect.signature(getattr(importlib.import_module(f"dlcourse.{module}"), name))
    parameters = [str(p.replace(annotation=p.empty)) for p in signature.parameters.values()]
    wanted = arguments.split(", ") if arguments else []
    # A default may be given where none was promised
    promised = [
        shown if "=" in expected or "*" in expected else shown.partition("=")[0]
        for shown, expected in zip(parameters, wanted, strict=False)
    ]
    assert promised == wanted
    optional = list(signature.parameters.values())[len(wanted) :]
    assert all(p.default is not p.empty or p.kind is p.VAR_KEYWORD for p in optional)


def test_states_have_the_promised_fields():
    fields = {"sgd": "", "momentum": "v", "nesterov": "v", "adagrad": "r", "rmsprop": "r", "adadelta": "r u"}
    for name, expected in (fields | {"adam": "t m v", "adamw": "t m v"}).items():
        assert " ".join(getattr(optimizers, f"{name}_init")(np.ones(2))._fields) == expected


def test_activations_are_in_their_table():
    names = ["sigmoid", "tanh", "relu", "leaky_relu", "softplus", "gelu", "gelu_tanh", "silu", "swish", "identity"]
    for name in names:
        f, f_grad = activations.ACTIVATIONS[name]
        assert (f.__name__, f_grad.__name__) == (name, f"{name}_grad")


def test_gains_are_those_of_the_table():
    gains = {"linear": 1.0, "identity": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2)}
    assert {name: calculate_gain(name) for name in gains} == pytest.approx(gains)
    assert calculate_gain("leaky_relu", slope=0.2) == pytest.approx(math.sqrt(2 / 1.04))


def test_a_value_has_what_a_graph_needs():
    x, y = Value(2.0), Value(3.0)
    z = (-(x * y + x - y) / y) ** 2
    for way in ("exp", "log", "sigmoid", "tanh", "relu"):
        assert isinstance(getattr(z, way)().data, float)
    z.backward()
    assert x.grad and z.parents and z.op and z.zero_grad() is None and not x.grad


def test_published_sizes():
    sizes = {"alexnet": 61_100_840, "vgg": 138_357_544, "resnet": 21_797_672, "inception_v1": 6_998_552}
    for name, expected in sizes.items():
        rows = getattr(architectures, name)()
        assert sum(row.parameters for row in rows) == expected
        assert rows[0]._fields == ("kind", "output_shape", "parameters", "multiply_adds")
