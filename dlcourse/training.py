r"""Training: layers put together to a network, and fitted by minibatch gradient descent.

A network is a composition, :math:`U = f_L(\cdots f_2(f_1(X)))`; backpropagation walks it in reverse. Every layer is one
of the course's operations, `op_forward` and `op_backward`, with its parameters::

    net = Network([("linear", 784, 256), ("relu",), ("linear", 256, 10)], rng=np.random.default_rng(0))
    history = fit(net, X, y, optimizer="adam", lr=1e-3, epochs=5, batch_size=128, rng=rng, validation=(X_val, y_val))

All parameters of a network are views into one flat vector w, all gradients views into another, dw: one call of the
optimizer moves everything. On NumPy arrays the few hot formulas run as their twins in `kernels`.
"""

import difflib
import inspect
import json
import math
import os
import sys
import time
import zipfile
from functools import partial
from pathlib import Path

import numpy as np

from . import (
    activations,
    attention,
    backpropagation,
    convolution,
    dropout,
    initializers,
    kernels,
    layers,
    losses,
    normalization,
    optimizers,
    recurrent,
)
from ._array import array_namespace, from_numpy, is_array, to_numpy
from ._checks import check_choice, check_integer, check_labels, check_number, check_rng, check_shapes

# ── layers ──────────────────────────────────────────────────────────────────────────────────────────────────────────
# A layer has parameters and their gradients (views into the network's flat vectors), a state that is no parameter,
# forward(X, train, rng) and backward(dY, inputs); what backward needs it keeps from the last forward.


class Operation:
    """A layer that is one op pair of the catalogue, `op_forward(X, *parameters, **options)`.

    op : the pair's name in `module`; its twin in `kernels`, where there is one, runs on NumPy arrays.
    tree : the pair takes its parameters as one dict and returns their gradients as one.
    states : initial states that stand between X and the parameters; they are zeros here.
    width : of each state, (N, width).
    rows : the pair takes (N, D); leading axes are folded into N.
    causal : the pair takes the causal mask of X's length as `mask`.
    features, gives : the last axis of what comes in and goes out, None where it may be anything; `keeps`: it is the same.
    axes : how many axes the input may have, None where any number.
    """

    def __init__(self, module, op, parameters=None, options=None, *, features=None, gives=None, axes=None, **how):
        self.parameters, self.state, self.gradients = parameters or {}, {}, {}
        self.features, self.gives, self.axes = features, gives, axes
        self.keeps = how.get("keeps", False)
        self.options = options or {}
        self.tree, self.states, self.width = how.get("tree", False), how.get("states", 0), how.get("width", 0)
        self.rows, self.causal = how.get("rows", False), how.get("causal", False)
        self.pair = getattr(module, f"{op}_forward"), getattr(module, f"{op}_backward")
        twin = getattr(kernels, f"{op}_forward", None), getattr(kernels, f"{op}_backward", None)
        self.twin = twin if all(twin) else None

    def forward(self, X, train, rng):
        self.shape = X.shape
        if self.rows and X.ndim != 2:
            X = array_namespace(X).reshape(X, (-1, X.shape[-1]))
        self.fast = self.twin is not None and type(X) is np.ndarray
        arguments = [X]
        if self.states:
            arguments += [array_namespace(X).zeros((X.shape[0], self.width), dtype=X.dtype)] * self.states
        arguments += [self.parameters] if self.tree else self.parameters.values()
        options = self.options
        if self.causal:
            options = options | {"mask": from_numpy(np.tri(X.shape[1], dtype=bool), like=X)}
        Y, *_, self.cache = (self.twin if self.fast else self.pair)[0](*arguments, **options)
        if self.rows and len(self.shape) != 2:
            Y = array_namespace(Y).reshape(Y, (*self.shape[:-1], Y.shape[-1]))
        return Y

    def backward(self, dY, inputs=True):
        if self.rows and dY.ndim != 2:
            dY = array_namespace(dY).reshape(dY, (-1, dY.shape[-1]))
        if self.fast:
            out = self.gradients if self.tree else list(self.gradients.values())
            dX = _as_tuple(self.twin[1](dY, self.cache, out=out, inputs=inputs))[0]
        else:
            dX, *gradients = _as_tuple(self.pair[1](dY, self.cache))
            gradients = gradients[0] if self.tree else dict(zip(self.parameters, gradients[self.states :], strict=True))
            _assign(self.gradients, gradients)
        if self.rows and len(self.shape) != 2 and dX is not None:
            dX = array_namespace(dX).reshape(dX, self.shape)
        return dX


class Activation:
    """An elementwise f, by its name in `activations.ACTIVATIONS`."""

    features = gives = axes = None
    keeps = True

    def __init__(self, name, options):
        self.parameters, self.state, self.gradients = {}, {}, {}
        self.name, self.options = name, options
        self.overwrite = False

    def forward(self, X, train, rng):
        self.fast = type(X) is np.ndarray
        if self.fast:
            Y, self.cache = kernels.activation_forward(X, self.name, out=X if self.overwrite else None, **self.options)
        else:
            Y, self.cache = layers.activation_forward(X, self.name, **self.options)
        return Y

    def backward(self, dY, inputs=True):
        return (kernels if self.fast else layers).activation_backward(dY, self.cache)


class BatchNorm:
    """Batch normalization with its running statistics as the layer's state."""

    axes, keeps = (2, 4), True

    def __init__(self, D, options):
        gamma, beta, state = normalization.batchnorm_init(D)
        self.parameters, self.gradients = {"gamma": gamma, "beta": beta}, {}
        self.state = state._asdict()
        self.kind, self.options = type(state), options
        self.features = self.gives = D

    def forward(self, X, train, rng):
        state = self.kind(**self.state)
        self.fast = train and type(X) is np.ndarray
        f = kernels.batchnorm_forward if self.fast else normalization.batchnorm_forward
        Y, self.cache, state = f(X, *self.parameters.values(), state, train=train, **self.options)
        if train:
            self.state = state._asdict()
        return Y

    def backward(self, dY, inputs=True):
        if self.fast:
            return kernels.batchnorm_backward(dY, self.cache, out=list(self.gradients.values()), inputs=inputs)[0]
        dX, dgamma, dbeta = normalization.batchnorm_backward(dY, self.cache)
        _assign(self.gradients, {"gamma": dgamma, "beta": dbeta})
        return dX


class Dropout:
    """Inverted dropout: active in training only."""

    features = gives = axes = None
    keeps = True

    def __init__(self, p):
        self.parameters, self.state, self.gradients = {}, {}, {}
        self.p = p

    def forward(self, X, train, rng):
        Y, self.cache = dropout.dropout_forward(X, self.p, rng, train=train)
        return Y

    def backward(self, dY, inputs=True):
        return dropout.dropout_backward(dY, self.cache)


class Embedding:
    """One learned row of E (V, D) for each symbol: X (N, T) whole numbers 0…V−1 -> (N, T, D)."""

    features = axes = None
    keeps = False

    def __init__(self, V, D, rng):
        self.parameters, self.state, self.gradients = {"E": rng.standard_normal((V, D))}, {}, {}
        self.gives = D

    def forward(self, X, train, rng):
        E = self.parameters["E"]
        xp = array_namespace(E)
        self.symbols = xp.reshape(X, (-1,))
        return xp.reshape(xp.take(E, self.symbols, axis=0), (*X.shape, E.shape[1]))

    def backward(self, dY, inputs=True):
        dE = self.gradients["E"]
        xp = array_namespace(dE)
        dY = xp.reshape(dY, (-1, dE.shape[1]))
        if type(dE) is np.ndarray:
            dE[...] = 0.0
            np.add.at(dE, self.symbols, dY)
        else:
            chosen = xp.astype(self.symbols[:, None] == xp.arange(dE.shape[0]), dE.dtype)
            dE[...] = xp.matrix_transpose(chosen) @ dY


class Flatten:
    """(N, H, W, C) -> (N, H·W·C)."""

    features = gives = axes = None
    keeps = False

    def __init__(self):
        self.parameters, self.state, self.gradients = {}, {}, {}

    def forward(self, X, train, rng):
        self.shape = X.shape
        return array_namespace(X).reshape(X, (X.shape[0], -1))

    def backward(self, dY, inputs=True):
        return array_namespace(dY).reshape(dY, self.shape)


class Last:
    """The last time step, (N, T, H) -> (N, H): the summary that a recurrent layer has made of the sequence."""

    features = gives = None
    axes, keeps = (3,), True

    def __init__(self):
        self.parameters, self.state, self.gradients = {}, {}, {}

    def forward(self, X, train, rng):
        self.shape = X.shape
        return array_namespace(X).asarray(X[:, -1, :], copy=True)

    def backward(self, dY, inputs=True):
        dX = array_namespace(dY).zeros(self.shape, dtype=dY.dtype)
        dX[:, -1, :] = dY
        return dX


class Positions:
    """Sinusoidal positions added to each step, (N, T, D) -> (N, T, D)."""

    axes, keeps = (3,), True

    def __init__(self, D):
        self.parameters, self.state, self.gradients = {}, {}, {}
        self.features = self.gives = D
        if D % 2:
            raise ValueError(f"D: expected an even number of features, got {D}")

    def forward(self, X, train, rng):
        positions = from_numpy(attention.sinusoidal_positions(*X.shape[1:]), like=X)
        return X + array_namespace(X).astype(positions, X.dtype)

    def backward(self, dY, inputs=True):
        return dY


class Residual:
    """F(X) + S(X): a branch and a shortcut, each a dict of layers in sequence; an empty shortcut is X itself."""

    axes, keeps = None, False

    def __init__(self, branch, shortcut):
        self.paths = {"branch": branch, "shortcut": shortcut}
        self.features = next(iter(branch.values())).features
        self.gives = next((layer.gives for layer in reversed(branch.values()) if layer.gives), None)

    # What the network hands out and collects goes through to the layers inside
    parameters = property(lambda self: self._trees("parameters"), lambda self, tree: self._hand_out("parameters", tree))
    gradients = property(lambda self: self._trees("gradients"), lambda self, tree: self._hand_out("gradients", tree))
    state = property(
        lambda self: dict(_leaves(self._trees("state"))), lambda self, x: self._hand_out("state", _nest(x.items()))
    )

    def _trees(self, what):
        trees = {path: {name: getattr(x, what) for name, x in inner.items()} for path, inner in self.paths.items()}
        return {path: kept for path, tree in trees.items() if (kept := {name: x for name, x in tree.items() if x})}

    def _hand_out(self, what, trees):
        for path, inner in self.paths.items():
            for name, layer in inner.items():
                setattr(layer, what, trees.get(path, {}).get(name, {}))

    def forward(self, X, train, rng):
        F, S = X, X
        for layer in self.paths["branch"].values():
            F = layer.forward(F, train, rng)
        for layer in self.paths["shortcut"].values():
            S = layer.forward(S, train, rng)
        if F.shape != S.shape:
            raise ValueError(f"residual: expected a branch that gives the shortcut's shape {S.shape}, got {F.shape}")
        return F + S

    def backward(self, dY, inputs=True):
        dF, dS = dY, dY
        for layer in reversed(self.paths["branch"].values()):
            dF = layer.backward(dF)
        for layer in reversed(self.paths["shortcut"].values()):
            dS = layer.backward(dS)
        return dF + dS


def _as_tuple(x):
    return x if isinstance(x, tuple) else (x,)


def _assign(views, values):
    """Write the arrays of the (nested) dict `values` into the arrays of `views`."""
    for name, view in views.items():
        if isinstance(view, dict):
            _assign(view, values[name])
        else:
            view[...] = values[name]


# ── the names of layers: what a specification may say, and the sizes that come after the name ─────────────────────────


def _sizes(**sizes):
    return [check_integer(name, n) for name, n in sizes.items()]


def _gates(gates, D, H, rng):
    """Input and recurrent weights of `gates` packed gates: Glorot's uniform and orthogonal ones, gate by gate."""
    Wx = np.concatenate([initializers.xavier_uniform((D, H), rng) for _ in range(gates)], axis=1)
    Wh = np.concatenate([initializers.orthogonal((H, H), rng) for _ in range(gates)], axis=1)
    return {"Wx": Wx, "Wh": Wh}


def _initial(initializer, shape, rng):
    names = ["uniform_fan_in", "xavier_uniform", "xavier_normal", "he_uniform", "he_normal", "scaled_normal", "normal"]
    return getattr(initializers, check_choice("initializer", initializer, [*names, "orthogonal"]))(shape, rng)


def _linear(D, K, *, initializer="he_uniform", rng):
    D, K = _sizes(D=D, K=K)
    parameters = {"W": _initial(initializer, (D, K), rng), "b": np.zeros(K)}
    return Operation(layers, "linear", parameters, features=D, gives=K, rows=True)


def _glu(D, H, *, kind="swiglu", initializer="xavier_uniform", rng):
    D, H = _sizes(D=D, H=H)
    Wa, Wb = (_initial(initializer, (D, H), rng) for _ in range(2))
    parameters = {"Wa": Wa, "ba": np.zeros(H), "Wb": Wb, "bb": np.zeros(H)}
    kinds = ("glu", "reglu", "geglu", "swiglu")
    options = {"kind": check_choice("kind", kind, kinds)}
    return Operation(activations, "glu_layer", parameters, options, features=D, gives=H, rows=True)


def _activation(name, *, rng, **options):
    check_choice("name", name, activations.ACTIVATIONS)
    known = list(inspect.signature(activations.ACTIVATIONS[name][0]).parameters)[1:]
    for option in options:
        check_choice("option", option, known)
    return Activation(name, options)


def _dropout(p, *, rng):
    return Dropout(check_number("p", p, 0.0, 1.0, include_high=False))


def _batchnorm(D, *, momentum=0.1, eps=1e-5, rng):
    return BatchNorm(*_sizes(D=D), {"momentum": momentum, "eps": eps})


def _layernorm(D, *, eps=1e-5, rng):
    (D,) = _sizes(D=D)
    parameters = {"gamma": np.ones(D), "beta": np.zeros(D)}
    return Operation(normalization, "layernorm", parameters, {"eps": eps}, features=D, gives=D)


def _conv2d(c_in, c_out, size, *, stride=1, padding=0, bias=True, initializer="he_uniform", rng):
    c_in, c_out = _sizes(c_in=c_in, c_out=c_out)
    kh, kw = _sizes(kh=size, kw=size) if not isinstance(size, tuple | list) else _sizes(kh=size[0], kw=size[-1])
    options = {"stride": check_integer("stride", stride), "padding": check_integer("padding", padding, minimum=0)}
    parameters = {"W": _initial(initializer, (kh, kw, c_in, c_out), rng), "b": np.zeros(c_out)}
    layer = Operation(convolution, "conv2d", parameters, options, features=c_in, gives=c_out, axes=(4,))
    if not bias:
        del parameters["b"]
        layer.pair = _without_bias(*layer.pair)
        layer.twin = layer.twin and _without_bias(*layer.twin)
    return layer


def _without_bias(forward, backward):
    """A convolution's pair with biases of zero, which are no parameters."""

    def forward_without(X, W, **options):
        return forward(X, W, array_namespace(W).zeros_like(W[0, 0, 0, :]), **options)

    def backward_without(dY, cache, out=None, **how):
        if out is None:
            return backward(dY, cache, **how)[:2]
        return backward(dY, cache, out=[*out, np.empty(out[0].shape[-1], out[0].dtype)], **how)[:2]

    return forward_without, backward_without


def _maxpool2d(size, *, stride=None, padding=0, rng):
    layer = _avgpool2d(size, stride=stride, rng=rng)
    options = layer.options | {"padding": check_integer("padding", padding, minimum=0)}
    return Operation(convolution, "maxpool2d", options=options, axes=(4,), keeps=True)


def _avgpool2d(size, *, stride=None, rng):
    (size,) = _sizes(size=size)
    stride = size if stride is None else check_integer("stride", stride)
    return Operation(convolution, "avgpool2d", options={"size": size, "stride": stride}, axes=(4,), keeps=True)


def _residual(branch, shortcut=(), *, rng):
    paths = []
    for name, specs in (("branch", branch), ("shortcut", shortcut)):
        if not isinstance(specs, list | tuple) or (name == "branch" and not specs):
            raise TypeError(f"{name}: expected a list of layers, got {specs!r}")
        built = [_build(index, spec, rng) for index, spec in enumerate(specs)]
        paths.append({f"{kind}_{index}": layer for index, (kind, layer) in enumerate(built)})
    return Residual(*paths)


def _global_avgpool(*, rng):
    return Operation(convolution, "global_avgpool", axes=(4,), keeps=True)


def _block(name, *sizes, rng, **options):
    parameters = getattr(convolution, f"{name}_init")(*sizes, rng=rng, **options)
    return Operation(convolution, name, parameters, tree=True, axes=(4,))


def _rnn(D, H, *, rng):
    D, H = _sizes(D=D, H=H)
    parameters = _gates(1, D, H, rng) | {"b": np.zeros(H)}
    return Operation(recurrent, "rnn", parameters, features=D, gives=H, axes=(3,), states=1, width=H)


def _lstm(D, H, *, forget_bias=1.0, rng):
    D, H = _sizes(D=D, H=H)
    b = np.zeros(4 * H)
    b[H : 2 * H] = forget_bias  # a gate that begins open remembers from the first step on (Jozefowicz et al. 2015)
    return Operation(
        recurrent, "lstm", _gates(4, D, H, rng) | {"b": b}, features=D, gives=H, axes=(3,), states=2, width=H
    )


def _gru(D, H, *, reset_after=False, rng):
    D, H = _sizes(D=D, H=H)
    parameters = _gates(3, D, H, rng) | {"bx": np.zeros(3 * H), "bh": np.zeros(3 * H)}
    how = {"features": D, "gives": H, "axes": (3,), "states": 1, "width": H}
    return Operation(recurrent, "gru", parameters, {"reset_after": bool(reset_after)}, **how)


def _self_attention(D, d_k, *, causal=False, rng):
    D, d_k = _sizes(D=D, d_k=d_k)
    parameters = {name: initializers.xavier_uniform((D, d_k), rng) for name in ("Wq", "Wk", "Wv")}
    how = {"features": D, "gives": d_k, "axes": (3,), "causal": causal}
    return Operation(attention, "self_attention", parameters, **how)


def _attention(D, E, heads, *, causal=False, rng):
    D, E, heads = _sizes(D=D, E=E, heads=heads)
    _divides(heads, E=E)
    parameters = {name: initializers.xavier_uniform((D, E), rng) for name in ("Wq", "Wk", "Wv")}
    parameters["Wo"] = initializers.xavier_uniform((E, D), rng)
    how = {"features": D, "gives": D, "axes": (3,), "causal": causal}
    return Operation(attention, "multi_head_attention", parameters, {"heads": heads}, **how)


def _transformer_block(D, heads, hidden=None, *, causal=False, rng):
    D, heads, hidden = _sizes(D=D, heads=heads, hidden=4 * D if hidden is None else hidden)
    _divides(heads, D=D)
    parameters = {"gamma1": np.ones(D), "beta1": np.zeros(D)}
    parameters |= {name: initializers.xavier_uniform((D, D), rng) for name in ("Wq", "Wk", "Wv", "Wo")}
    parameters |= {"gamma2": np.ones(D), "beta2": np.zeros(D)}
    parameters |= {"W1": initializers.xavier_uniform((D, hidden), rng), "b1": np.zeros(hidden)}
    parameters |= {"W2": initializers.xavier_uniform((hidden, D), rng), "b2": np.zeros(D)}
    how = {"features": D, "gives": D, "axes": (3,), "causal": causal, "tree": True}
    return Operation(attention, "transformer_block", parameters, {"heads": heads}, **how)


def _divides(heads, **size):
    ((name, n),) = size.items()
    if n % heads:
        raise ValueError(f"{name}: expected a multiple of the {heads} heads, got {n}")


LAYERS = {
    "linear": _linear,
    "activation": _activation,
    "glu": _glu,
    "dropout": _dropout,
    "batchnorm": _batchnorm,
    "layernorm": _layernorm,
    "conv2d": _conv2d,
    "maxpool2d": _maxpool2d,
    "avgpool2d": _avgpool2d,
    "global_avgpool": _global_avgpool,
    "residual_block": partial(_block, "residual_block"),
    "inception_block": partial(_block, "inception_block"),
    "residual": _residual,
    "rnn": _rnn,
    "lstm": _lstm,
    "gru": _gru,
    "self_attention": _self_attention,
    "attention": _attention,
    "multi_head_attention": _attention,
    "transformer_block": _transformer_block,
    "embedding": lambda V, D, *, rng: Embedding(*_sizes(V=V, D=D), rng),
    "positions": lambda D, *, rng: Positions(*_sizes(D=D)),
    "flatten": lambda *, rng: Flatten(),
    "last": lambda *, rng: Last(),
} | {name: partial(_activation, name) for name in activations.ACTIVATIONS}


def _build(index, spec, rng):
    """The layer of one specification, (name, sizes…) with a dict of options last, where there are any."""
    where = f"layers[{index}] {spec!r}"
    name, *sizes = (spec,) if isinstance(spec, str) else spec if isinstance(spec, tuple | list) and spec else (None,)
    if not isinstance(name, str):
        raise TypeError(f"{where}: expected a tuple that begins with the name of a layer, such as ('linear', 784, 10)")
    if name not in LAYERS:
        near = difflib.get_close_matches(name, LAYERS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; expected one of {', '.join(LAYERS)}"
        raise ValueError(f"{where}: there is no layer {name!r}{hint}")
    options = sizes.pop() if sizes and isinstance(sizes[-1], dict) else {}
    signature = inspect.signature(LAYERS[name])
    try:
        signature.bind(*sizes, **options, rng=rng)
    except TypeError as error:
        shown = [str(p) for p in signature.parameters.values() if p.name != "rng"]
        raise TypeError(f"{where}: expected {name}({', '.join(shown)}): {error}") from None
    try:
        return name, LAYERS[name](*sizes, **options, rng=rng)
    except (ValueError, TypeError) as error:
        raise type(error)(f"{where}: {error}") from None


# ── the network ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Network:
    r"""Layers in sequence, :math:`U = f_L(\cdots f_2(f_1(X)))`, and the way back, :math:`\partial J / \partial X`.

    Parameters
    ----------
    layers : list of specifications, (name, sizes…, options as a dict): ``("linear", D, K)``, ``("relu",)``,
        ``("conv2d", c_in, c_out, k, {"stride": 1, "padding": 1})``, ``("maxpool2d", size)``, ``("flatten",)``,
        ``("batchnorm", D)``, ``("layernorm", D)``, ``("dropout", p)``, ``("lstm", D, H)``, ``("embedding", V, D)``,
        ``("attention", D, E, heads, {"causal": True})``, ``("transformer_block", D, heads)``, ``("last",)``, …;
        all names are in `training.LAYERS`.
    rng : numpy.random.Generator, draws the initial weights, and the masks of dropout.
    dtype : "float64" or "float32", of the parameters; inputs are converted to it.
    like : an array whose backend and device the parameters live on; NumPy if it is left out.

    Attributes
    ----------
    params, grads : {"linear_0": {"W": …, "b": …}, …}, by the layer's name and place; every array is a view into the
        flat vectors `w` and `dw`. Change them in place (``net.params["linear_0"]["W"][...] = W``).
    state : the same for what is no parameter, such as batch norm's running statistics.

    Raises
    ------
    ValueError, TypeError : a layer has no such name or size, or does not fit the one before it; the message says which.

    Examples
    --------
    >>> net = Network([("linear", 2, 3), ("relu",), ("linear", 3, 2)], rng=np.random.default_rng(0))
    >>> net.forward(np.ones((4, 2))).shape
    (4, 2)
    >>> net
    Network: 17 parameters, float64
      linear_0         9   linear 2 3
      relu_1           0   relu
      linear_2         8   linear 3 2
    """

    def __init__(self, layers, rng, dtype="float64", like=None):
        check_rng(rng)
        if not isinstance(layers, list | tuple) or not layers:
            raise TypeError(f"layers: expected a list of at least one layer, such as ('linear', 2, 1), got {layers!r}")
        check_choice("dtype", str(np.dtype(dtype)), ("float64", "float32"))
        self.dtype, self.rng = np.dtype(dtype), rng
        self.specs = [
            (spec,) if isinstance(spec, str) else tuple(spec) if isinstance(spec, list) else spec for spec in layers
        ]
        built = [_build(index, spec, rng) for index, spec in enumerate(self.specs)]
        self.names = [f"{name}_{index}" for index, (name, _) in enumerate(built)]
        self.layers = [layer for _, layer in built]
        self._check_chain()
        self._lay_out(np.empty(0) if like is None else like)
        # What only reshapes would hand out views of what came in
        self._passes_through = all(isinstance(layer, Flatten | Positions) for layer in self.layers)
        for before, layer in zip(self.layers, self.layers[1:], strict=False):
            # A linear or convolutional layer keeps its input, not its output: what follows may write over that
            if isinstance(layer, Activation) and isinstance(before, Operation) and before.twin:
                layer.overwrite = before.pair[0].__name__ in ("linear_forward", "conv2d_forward")

    def _check_chain(self):
        """Each layer's features against those that the one before it gives, as far as the sizes alone can say."""
        given, by = None, None
        for index, layer in enumerate(self.layers):
            if layer.features is not None and given is not None and layer.features != given:
                raise ValueError(
                    f"layers[{index}] {self.specs[index]!r}: expected {given} features, as layers[{by}] "
                    f"{self.specs[by]!r} gives, got {layer.features}"
                )
            if layer.gives is not None:
                given, by = layer.gives, index
            elif not layer.keeps:
                given = None

    def _lay_out(self, like):
        """Copy all parameters into one flat vector, weights first, and put views of it in the layers."""
        xp = array_namespace(like)
        device = {} if type(like) is np.ndarray else {"device": like.device}
        dtype = getattr(xp, str(self.dtype))
        found = [(layer, path, x) for layer in self.layers for path, x in _leaves(layer.parameters)]
        # Weights (matrices) before biases and gains: weight decay is for the former, one slice
        order = sorted(range(len(found)), key=lambda i: found[i][2].ndim < 2)
        size = sum(x.size for _, _, x in found)
        self.weights = sum(x.size for _, _, x in found if x.ndim >= 2)
        self.w, self.dw = (xp.zeros(size, dtype=dtype, **device) for _ in range(2))
        views, start = {}, 0
        for i in order:
            x = found[i][2]
            views[i] = [xp.reshape(flat[start : start + x.size], x.shape, copy=False) for flat in (self.w, self.dw)]
            views[i][0][...] = xp.asarray(x.astype(self.dtype), **device)
            start += x.size
        for layer in self.layers:
            own = [(path, *views[i]) for i, (owner, path, _) in enumerate(found) if owner is layer]
            layer.parameters = _nest((path, w) for path, w, _ in own)
            layer.gradients = _nest((path, dw) for path, _, dw in own)
            layer.state = {
                name: from_numpy(x.astype(self.dtype), like=self.w) if is_array(x) else x
                for name, x in layer.state.items()
            }
        named = list(zip(self.names, self.layers, strict=True))
        self.params = {name: layer.parameters for name, layer in named if layer.parameters}
        self.grads = {name: layer.gradients for name, layer in named if layer.parameters}

    @property
    def state(self):
        """{layer: {name: array}} of what training carries along besides the parameters."""
        return {name: layer.state for name, layer in zip(self.names, self.layers, strict=True) if layer.state}

    def forward(self, X, train=False, rng=None):
        """The output U for a batch X; with `train`, dropout is active and batch norm uses the batch's statistics.

        Parameters
        ----------
        X : (N, ...) array, examples along the first axis; whole numbers (N, T) where the first layer is an embedding.
        train : whether this is a pass of training.
        rng : numpy.random.Generator for dropout's masks; the network's own if it is left out.
        """
        X = self._input(X)
        rng = self.rng if rng is None else rng
        for index, layer in enumerate(self.layers):
            if (layer.axes is not None and X.ndim not in layer.axes) or (
                layer.features is not None and X.shape[-1] != layer.features
            ):
                raise ValueError(self._misfit(index, X))
            try:
                X = layer.forward(X, train, rng)
            except (ValueError, TypeError) as error:
                raise type(error)(f"{self._where(index)}: {error}") from None
        self._forward_shape = X.shape
        return array_namespace(X).asarray(X, copy=True) if self._passes_through else X

    def backward(self, dU):
        """Fill `grads` from dU = ∂J/∂U, for the batch of the last `forward`; returns ∂J/∂X (None for an embedding)."""
        return self._backward(dU, inputs=True)

    def _backward(self, dU, inputs):
        if getattr(self, "_forward_shape", None) is None:
            raise ValueError("backward: expected a forward pass before it, got none")
        if tuple(dU.shape) != tuple(self._forward_shape):
            raise ValueError(f"dU: expected the output's shape {tuple(self._forward_shape)}, got {tuple(dU.shape)}")
        # Below the first layer with parameters nobody needs a gradient, unless the caller asks for the input's
        first = 0 if inputs else next((i for i, layer in enumerate(self.layers) if layer.parameters), 0)
        for index in range(len(self.layers) - 1, first - 1, -1):
            dU = self.layers[index].backward(dU, inputs or index > first)
        if not inputs:
            return None
        return array_namespace(dU).asarray(dU, copy=True) if self._passes_through else dU

    def _input(self, X):
        if isinstance(X, list | tuple):
            X = np.asarray(X)
        if not is_array(X):
            raise TypeError(f"X: expected an array, got {type(X).__name__}")
        xp = array_namespace(X)
        if type(X) is not type(self.w):
            raise TypeError(
                f"X: expected an array of the parameters' backend ({type(self.w).__module__}), got {type(X).__module__}; "
                f"Network(…, like=X) puts them there"
            )
        if X.ndim < 2 or 0 in X.shape:
            raise ValueError(
                f"X: expected examples along the first of at least two axes, none empty, got shape {tuple(X.shape)}"
            )
        if isinstance(self.layers[0], Embedding):
            V = self.layers[0].parameters["E"].shape[0]
            if not xp.isdtype(X.dtype, "integral"):
                raise TypeError(f"X: expected whole numbers 0…{V - 1} for the embedding, got dtype {X.dtype}")
            if int(xp.min(X)) < 0 or int(xp.max(X)) >= V:
                raise ValueError(
                    f"X: expected whole numbers 0…{V - 1} for the embedding, got {int(xp.min(X))}…{int(xp.max(X))}"
                )
            return X
        if X.dtype == self.w.dtype:
            return X
        if X.dtype == object or not xp.isdtype(X.dtype, ("real floating", "integral", "bool")):
            raise TypeError(f"X: expected an array of numbers, got dtype {X.dtype}")
        return xp.astype(X, self.w.dtype)

    def _where(self, index):
        return f"layers[{index}] {self.specs[index]!r}"

    def _misfit(self, index, X):
        layer = self.layers[index]
        expected = [f"{' or '.join(map(str, layer.axes))} axes"] if layer.axes else []
        expected += [f"{layer.features} features along the last axis"] if layer.features is not None else []
        return f"{self._where(index)}: expected an input with {' and '.join(expected)}, got shape {tuple(X.shape)}"

    def __repr__(self):
        rows = [f"Network: {self.w.shape[0]:,} parameters, {self.dtype}"]
        for name, spec, layer in zip(self.names, self.specs, self.layers, strict=True):
            count = sum(math.prod(x.shape) for _, x in _leaves(layer.parameters))
            rows.append(f"  {name:<12} {count:>5,}   {' '.join(map(str, spec))}")
        return "\n".join(rows)

    def save(self, path):
        """Write the layers' specifications, all parameters and the state to `path` (.npz, without pickle).

        The file appears whole or not at all. The suffix .npz is added where it is missing.
        """
        path = _npz(path)
        stored = {f"params:{key}": to_numpy(x) for key, x in _leaves(self.params)}
        stored |= {f"state:{key}": to_numpy(x) for key, x in _leaves(self.state)}
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with open(temporary, "wb") as file:
                np.savez(file, layers=np.array(json.dumps(self.specs)), **stored)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)

    def load(self, path):
        """Read parameters and state that `save` wrote, into this network of the same layers; returns the network.

        Raises
        ------
        FileNotFoundError : there is no such file.
        ValueError : it is no such file, or it holds other layers or shapes; then the network is unchanged.
        """
        path = _npz(path)
        try:
            with np.load(path, allow_pickle=False) as file:
                stored = {key: file[key] for key in file.files}
        except (ValueError, zipfile.BadZipFile, EOFError, AttributeError) as error:
            raise ValueError(f"{path}: expected a file that Network.save wrote, got something else ({error})") from None
        expected = {f"params:{key}": x for key, x in _leaves(self.params)}
        expected |= {f"state:{key}": x for key, x in _leaves(self.state)}
        for key in [*expected, *stored]:
            name = key.partition(":")[2]
            if key not in stored:
                raise ValueError(f"{path}: expected {name}, as this network has it, got a file without it")
            if key not in expected:
                if key != "layers":
                    raise ValueError(
                        f"{path}: expected the layers of this network, got a file with {name or key} besides"
                    )
            elif stored[key].shape != tuple(np.shape(expected[key])) or stored[key].dtype.kind not in "fiu":
                shape = tuple(np.shape(expected[key]))
                raise ValueError(
                    f"{path}: {name}: expected numbers of shape {shape}, got {stored[key].dtype} of {stored[key].shape}"
                )
        for key, x in _leaves(self.params):
            values = stored[f"params:{key}"].astype(self.dtype)
            x[...] = from_numpy(values, like=self.w)
        for name, layer in zip(self.names, self.layers, strict=True):
            layer.state = {
                key: from_numpy(stored[f"state:{name}.{key}"].astype(self.dtype), like=self.w) for key in layer.state
            }
        return self


def _npz(path):
    path = Path(path)
    return path if path.suffix == ".npz" else path.with_name(path.name + ".npz")


def _leaves(tree, prefix=""):
    """(path, array) for each array of nested dicts, the path's names joined by dots."""
    for key, x in tree.items():
        if isinstance(x, dict):
            yield from _leaves(x, f"{prefix}{key}.")
        else:
            yield prefix + key, x


def _nest(leaves):
    """The nested dicts that `_leaves` took apart."""
    tree = {}
    for path, x in leaves:
        *above, last = path.split(".")
        branch = tree
        for key in above:
            branch = branch.setdefault(key, {})
        branch[last] = x
    return tree


# ── fitting ─────────────────────────────────────────────────────────────────────────────────────────────────────────

OPTIMIZERS = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam", "adamw")


def loss_and_grad(U, y):
    """The loss of outputs U for targets y, and its gradient: what `fit` minimizes.

    Parameters
    ----------
    U : (N, …, K) array, the network's outputs.
    y : whole numbers (N, …): labels, charged by softmax cross-entropy, mean over all of them; or floating (N, …, K):
        values, charged by the mean squared error.

    Returns
    -------
    J : number. dU : array of U's shape.

    Examples
    --------
    >>> J, dU = loss_and_grad(np.zeros((1, 2)), np.array([0]))
    >>> round(float(J), 4), dU
    (0.6931, array([[-0.5,  0.5]]))
    """
    y = _targets(U, y)
    return _loss_and_grad(U, y)


def _targets(U, y):
    """The targets as an array that fits U: labels or values."""
    if isinstance(y, list | tuple):
        y = np.asarray(y)
    if not is_array(y):
        raise TypeError(f"y: expected an array of targets, got {type(y).__name__}")
    shape, K = tuple(U.shape), U.shape[-1]
    if _is_labels(y):
        if tuple(y.shape) != shape[:-1]:
            raise ValueError(
                f"y: expected labels of shape {shape[:-1]} for outputs of shape {shape}, got {tuple(y.shape)}"
            )
        low, high = _extremes(y)
        if low < 0 or high >= K:
            raise ValueError(f"y: expected labels 0…{K - 1} for {K} outputs, got {low if low < 0 else high}")
        return y
    if y.dtype == object or not array_namespace(y).isdtype(y.dtype, "real floating"):
        raise TypeError(f"y: expected whole numbers (labels) or floating values, got dtype {y.dtype}")
    if tuple(y.shape) != shape:
        raise ValueError(
            f"y: expected values of the outputs' shape {shape}, or whole numbers as labels, got {tuple(y.shape)}"
        )
    return y


def _extremes(y):
    """Smallest and largest entry."""
    if type(y) is np.ndarray:
        # half the time of `min` and `max`, of which a step on a few examples consists to a tenth
        return np.minimum.reduce(y, axis=None), np.maximum.reduce(y, axis=None)
    xp = array_namespace(y)
    return int(xp.min(y)), int(xp.max(y))


def _is_labels(y):
    return y.dtype.kind in "iu" if type(y) is np.ndarray else array_namespace(y).isdtype(y.dtype, "integral")


def _loss_and_grad(U, y):
    if not _is_labels(y):
        if y.dtype != U.dtype:
            y = array_namespace(y).astype(y, U.dtype)
        return losses.mean_squared_error(U, y), losses.mean_squared_error_grad(U, y)
    shape = U.shape
    if len(shape) != 2:
        xp = array_namespace(U)
        U, y = xp.reshape(U, (-1, shape[-1])), xp.reshape(y, (-1,))
    if type(U) is np.ndarray:
        J, dU = kernels.softmax_cross_entropy_with_grad(U, y)
    else:
        J, dU = losses.softmax_cross_entropy(U, y), losses.softmax_cross_entropy_grad(U, y)
    return J, dU if len(shape) == 2 else array_namespace(dU).reshape(dU, shape)


def _correct(U, y):
    """How many labels the largest output hits."""
    xp = array_namespace(U)
    return int(xp.sum(xp.astype(xp.argmax(U, axis=-1) == y, xp.int64)))


class Trainer:
    """Steps of an optimizer on a network; `fit` is a loop around it.

    Parameters
    ----------
    net : Network.
    optimizer : "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam" or "adamw".
    lr : learning rate; the optimizer's own default where it is left out.
    weight_decay : λ of the penalty (λ/2)‖W‖² on the weights, not on biases and gains; for "adamw" the decoupled decay.
    clip_norm : the largest norm of the whole gradient; a longer one is scaled down.
    schedule : (step, lr) -> lr with step = 0, 1, …, such as ``functools.partial(optimizers.cosine, total=1000)``.
    rng : numpy.random.Generator for dropout; the network's own if it is left out.
    **options : further arguments of the optimizer's step, such as ``momentum=0.8``.

    Examples
    --------
    >>> net = Network([("linear", 1, 1)], rng=np.random.default_rng(0))
    >>> trainer = Trainer(net, "sgd", lr=0.1)
    >>> X = np.array([[-1.0], [1.0]])
    >>> losses = [trainer.step(X, 3 * X) for _ in range(50)]
    >>> round(float(net.params["linear_0"]["W"][0, 0]), 3)
    3.0
    """

    def __init__(
        self, net, optimizer="adam", lr=None, *, weight_decay=None, clip_norm=None, schedule=None, rng=None, **options
    ):
        if not isinstance(net, Network):
            raise TypeError(f"net: expected a Network, got {type(net).__name__}")
        if not net.w.shape[0]:
            raise ValueError("net: expected a network with parameters, got one that has nothing to learn")
        check_choice("optimizer", optimizer, OPTIMIZERS)
        if rng is not None:
            check_rng(rng)
        if schedule is not None and not callable(schedule):
            raise TypeError(f"schedule: expected a function (step, lr) -> lr, got {schedule!r}")
        if clip_norm is not None:
            check_number("clip_norm", clip_norm, 0.0, include_low=False)
        self.net, self.optimizer, self.schedule, self.rng = net, optimizer, schedule, rng
        self.clip_norm, self.count = clip_norm, 0
        self.decoupled = optimizer == "adamw"
        name = "adam" if self.decoupled else optimizer
        defaults = inspect.signature(getattr(optimizers, f"{optimizer}_step")).parameters
        known = [option for option in list(defaults)[3:] if option not in ("lr", "weight_decay")]
        for option in options:
            if option not in known:
                raise TypeError(
                    f"{option}: expected one of the options of {optimizer}_step: {', '.join(known) or 'none'}"
                )
        if lr is None:
            lr = defaults["lr"].default
            if lr is inspect.Parameter.empty:
                raise TypeError(f"lr: expected a learning rate for {optimizer!r}, got none")
        self.lr = check_number("lr", lr, 0.0, include_low=False)
        if weight_decay is None:
            weight_decay = defaults["weight_decay"].default if self.decoupled else 0.0
        self.weight_decay = check_number("weight_decay", weight_decay, 0.0)
        self.momentum = options.get("momentum", defaults["momentum"].default) if optimizer == "nesterov" else None
        self.options = options
        self.state = getattr(optimizers, f"{name}_init")(net.w)
        twin = getattr(kernels, f"{name}_update", None) if type(net.w) is np.ndarray else None
        self.update = twin or getattr(optimizers, f"{name}_step")
        self.in_place = twin is not None

    def step(self, X, y):
        """One step on a batch: forward, loss, backward, update; returns the loss before it."""
        return float(self._step(X, y)[0])

    def _step(self, X, y, checked=False):
        net, w = self.net, self.net.w
        lr = self.lr if self.schedule is None else self.schedule(self.count, self.lr)
        if self.momentum is not None:
            # Nesterov's gradient is the one at the look-ahead point
            before = w + 0.0
            w[...] = optimizers.nesterov_lookahead(before, self.state, self.momentum)
        try:
            U = net.forward(X, train=True, rng=self.rng)
            if not checked:
                y = _targets(U, y)
            J, dU = _loss_and_grad(U, y)
            net._backward(dU, inputs=False)
        finally:
            if self.momentum is not None:
                w[...] = before
        if self.weight_decay and not self.decoupled:
            net.dw[: net.weights] += self.weight_decay * w[: net.weights]
        if self.clip_norm is not None:
            net.dw[...] = optimizers.clip_grad_norm(net.dw, self.clip_norm)[0]
        if self.weight_decay and self.decoupled:
            w[: net.weights] *= 1.0 - lr * self.weight_decay
        if self.in_place:
            self.state = self.update(w, net.dw, self.state, lr=lr, **self.options)
        else:
            moved, self.state = self.update(w, net.dw, self.state, lr=lr, **self.options)
            w[...] = moved
        self.count += 1
        return J, U


def evaluate(net, X, y, batch_size=256):
    """Mean loss over the examples, and accuracy (None for values), in evaluation mode.

    Parameters
    ----------
    net : Network. X : (N, ...) array. y : targets, as for `loss_and_grad`. batch_size : examples at a time.

    Examples
    --------
    >>> net = Network([("identity",)], rng=np.random.default_rng(0))
    >>> J, accuracy = evaluate(net, np.array([[9.0, 0.0], [9.0, 0.0]]), np.array([0, 1]))
    >>> round(J, 3), accuracy
    (4.5, 0.5)
    """
    batch_size = check_integer("batch_size", batch_size)
    X, y = _examples(net, X, y)
    N, total, correct = X.shape[0], 0.0, 0
    for start in range(0, N, batch_size):
        batch = y[start : start + batch_size, ...]
        U = net.forward(X[start : start + batch_size, ...])
        total += float(_loss_and_grad(U, batch)[0]) * batch.shape[0]
        correct += _correct(U, batch) if _is_labels(y) else 0
    return total / N, correct / math.prod(y.shape) if _is_labels(y) else None


def _examples(net, X, y, names=("X", "y")):
    """X and y as arrays, if the network can take the one and its output fits the other."""
    X, y = (np.asarray(x) if isinstance(x, list | tuple) else x for x in (X, y))
    for name, x in zip(names, (X, y), strict=True):
        if not is_array(x):
            raise TypeError(f"{name}: expected an array, got {type(x).__name__}")
    if y.ndim == 0 or X.ndim == 0 or X.shape[0] != y.shape[0] or X.shape[0] == 0:
        shapes = f"{tuple(X.shape)} and {tuple(y.shape)}"
        raise ValueError(
            f"{names[0]}, {names[1]}: expected as many examples as targets and at least one, got shapes {shapes}"
        )
    shape = net.forward(X[:1, ...]).shape
    # What is asked of the targets depends on the output's shape alone
    return X, _targets(_Shape((y.shape[0], *shape[1:])), y)


class _Shape:
    def __init__(self, shape):
        self.shape = shape


def fit(
    net,
    X,
    y,
    optimizer="adam",
    lr=None,
    epochs=10,
    batch_size=32,
    rng=None,
    validation=None,
    progress=True,
    *,
    schedule=None,
    weight_decay=None,
    clip_norm=None,
    **options,
):
    """Fit a network by minibatch gradient descent, in place; an interruption (Ctrl-C) keeps what was learned.

    Parameters
    ----------
    net : Network.
    X : (N, ...) array, the examples.
    y : (N,) labels, (N, T) labels for each step of a sequence, or floating values of the output's shape.
    optimizer, lr, schedule, weight_decay, clip_norm, **options : as for `Trainer`.
    epochs : passes over the examples.
    batch_size : examples in a step; the last one of an epoch is smaller where N is no multiple of it.
    rng : numpy.random.Generator, draws the order and dropout's masks; the network's own if it is left out.
    validation : (X, y) to evaluate after each epoch.
    progress : whether to show the progress on stderr: a bar in a terminal, a line now and then elsewhere.

    Returns
    -------
    history : dict of lists, one entry for each whole epoch: "loss" and "accuracy" while training (mean over the
        epoch's examples, before each one's step), "val_loss" and "val_accuracy" after it. Accuracies are empty for
        floating y, the ``val_`` ones without `validation`.

    Raises
    ------
    ValueError, TypeError : as for `Trainer`, and where X, y or `validation` do not fit the network.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((200, 2))
    >>> y = (X[:, 0] * X[:, 1] > 0).astype(int)
    >>> net = Network([("linear", 2, 16), ("tanh",), ("linear", 16, 2)], rng=rng)
    >>> history = fit(net, X, y, lr=0.05, epochs=30, rng=rng, progress=False)
    >>> history["accuracy"][-1] > 0.9
    True
    """
    rng = getattr(net, "rng", None) if rng is None else rng
    how = {"schedule": schedule, "weight_decay": weight_decay, "clip_norm": clip_norm, "rng": rng}
    trainer = Trainer(net, optimizer, lr, **how, **options)
    epochs, batch_size = check_integer("epochs", epochs, minimum=0), check_integer("batch_size", batch_size)
    X, y = _examples(net, X, y)
    if validation is not None:
        if not isinstance(validation, list | tuple) or len(validation) != 2:
            raise TypeError("validation: expected a pair (X, y)")
        validation = _examples(net, *validation, names=("validation X", "validation y"))
    history = {"loss": [], "accuracy": [], "val_loss": [], "val_accuracy": []}
    show = _Progress(epochs, -(-X.shape[0] // batch_size)) if progress else None
    labels = _is_labels(y)
    try:
        for epoch in range(epochs):
            total, correct = 0.0, 0
            for X_batch, y_batch in backpropagation.minibatches(X, y, batch_size, rng):
                J, U = trainer._step(X_batch, y_batch, checked=True)
                total += float(J) * X_batch.shape[0]
                correct += _correct(U, y_batch) if labels else 0
                if show:
                    show.batch(epoch, float(J))
            now = {"loss": total / X.shape[0]}
            if labels:
                now["accuracy"] = correct / math.prod(y.shape)
            if validation is not None:
                now["val_loss"], accuracy = evaluate(net, *validation)
                if accuracy is not None:
                    now["val_accuracy"] = accuracy
            for name, value in now.items():
                history[name].append(value)
            if show:
                show.epoch(epoch, now)
    except KeyboardInterrupt:
        print(f"\nInterrupted in epoch {len(history['loss']) + 1}: what was learned is kept.", file=sys.stderr)
    return history


class _Progress:
    """A bar that is redrawn in a terminal; elsewhere (a file, a notebook) at most eleven plain lines."""

    def __init__(self, epochs, batches):
        self.epochs, self.batches, self.done = epochs, batches, 0
        self.terminal = sys.stderr.isatty()
        self.begun = self.drawn = time.monotonic()

    def batch(self, epoch, J):
        self.done += 1
        now = time.monotonic()
        if self.terminal and now - self.drawn > 0.1:
            self.drawn = now
            share = self.done / (self.epochs * self.batches)
            left = (now - self.begun) * (1.0 - share) / share
            bar = "█" * round(24 * share)
            self.write(
                f"\r{bar:░<24} {share:4.0%}  epoch {epoch + 1}/{self.epochs}  loss {J:.4f}  {left:.0f} s left \x1b[K"
            )

    def epoch(self, epoch, values):
        if self.terminal or (epoch + 1) * 10 // self.epochs != epoch * 10 // self.epochs or epoch == 0:
            shown = "  ".join(f"{name} {value:.4f}" for name, value in values.items())
            start, end = ("\r", "\x1b[K") if self.terminal else ("", "")
            self.write(f"{start}epoch {epoch + 1}/{self.epochs}  {shown}{end}\n")

    def write(self, text):
        sys.stderr.write(text)
        sys.stderr.flush()


def softmax_regression_epoch(X, labels, W, b, lr, batch_size):
    r"""One epoch of softmax regression, minibatch by minibatch in the given order.

    For each minibatch: :math:`U = XW + b`, J the mean cross-entropy of its examples, and a step
    :math:`W \leftarrow W - \alpha \nabla_W J`, :math:`b \leftarrow b - \alpha \nabla_b J`.

    Parameters
    ----------
    X : (N, D) array. labels : (N,) integers 0…K−1.
    W : (D, K) array. b : (K,) array: where the epoch begins.
    lr : learning rate α, positive.
    batch_size : examples in a minibatch; the last one may be smaller and is kept.

    Returns
    -------
    W, b : after the epoch.
    loss : mean cross-entropy over all N examples, each taken before its own minibatch's step.

    Examples
    --------
    >>> X, labels = np.array([[1.0], [-1.0]]), np.array([0, 1])
    >>> W, b, loss = softmax_regression_epoch(X, labels, np.zeros((1, 2)), np.zeros(2), 1.0, 2)
    >>> W, round(float(loss), 4)
    (array([[ 0.5, -0.5]]), 0.6931)
    """
    X, W, b = check_shapes("N D, D K, K", X=X, W=W, b=b)
    labels = check_labels(labels, W.shape[1], X.shape[0])
    lr = check_number("lr", lr, low=0.0, include_low=False)
    batch_size = check_integer("batch_size", batch_size)
    xp = array_namespace(X)
    N, total = X.shape[0], 0.0
    for start in range(0, N, batch_size):
        X_batch, d = X[start : start + batch_size, :], labels[start : start + batch_size]
        U = X_batch @ W + b
        total += losses.softmax_cross_entropy(U, d, reduction="sum")
        dU = (activations.softmax(U) - xp.astype(layers.one_hot(d, W.shape[1]), U.dtype)) / X_batch.shape[0]
        W = W - lr * (xp.matrix_transpose(X_batch) @ dU)
        b = b - lr * xp.sum(dU, axis=0)
    return W, b, total / N
