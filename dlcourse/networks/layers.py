"""The parts of a network: the course's op pairs, each with its parameters and what its
backward needs.

A layer has `parameters` and their `gradients` (dicts of arrays; in a network, views
into its flat vectors), a `state` beside them, ``forward(X, train, rng)`` and
``backward(dY, inputs)``. The forward pass keeps what the backward pass needs.
Layers of sequences also have ``step(x, kept)``: the output of one more position,
and what is kept of those so far.
`features`, `out_features`, `preserves_features` and `axes` (see `Operation`)
describe input and output, so that a network can check its chain before it sees an
example. On NumPy arrays the hot formulas run as their twins in `kernels`.
"""

import numpy as np

from .. import attention, dropout, kernels, layers, normalization
from .._array import array_namespace, as_indices, device, from_numpy
from .._tree import named_leaves, nest

__all__ = [
    "Activation",
    "BatchNorm",
    "Dropout",
    "Embedding",
    "Flatten",
    "Last",
    "Operation",
    "Positions",
    "Residual",
    "step",
]


def __dir__():
    return __all__


class Operation:
    """A layer that is one op pair of the catalogue, called as
    ``op_forward(X, *parameters, **options)``.

    op : the pair's name in `module`; on NumPy arrays its twin in `kernels.TWINS` runs,
        where there is one.
    features, out_features : size of the last axis of the input and of the output, None
        where it may be anything.
    preserves_features : whether the output's last axis is that of the input.
    axes : how many axes the input may have, None for any number.
    tree : whether the pair takes its parameters as one dict and returns their gradients
        as one.
    states : number of initial states between X and the parameters; they are zeros.
    width : of each state, (N, width).
    rows : whether the pair takes (N, D) only; leading axes are folded into N.
    causal : whether the pair takes the causal mask of X's length as `mask`.
    output_is_free : whether the backward pass does not need the output, so that the
        layer behind may write over it.
    """

    def __init__(
        self,
        module,
        op,
        parameters=None,
        options=None,
        *,
        features=None,
        out_features=None,
        preserves_features=False,
        axes=None,
        tree=False,
        states=0,
        width=0,
        rows=False,
        causal=False,
        output_is_free=False,
    ):
        self.parameters, self.options, self.state, self.gradients = parameters or {}, options or {}, {}, {}
        self.features, self.out_features, self.preserves_features = features, out_features, preserves_features
        self.axes, self.tree, self.states, self.width = axes, tree, states, width
        self.rows, self.causal, self.output_is_free = rows, causal, output_is_free
        self.op = op
        self.pair = getattr(module, f"{op}_forward"), getattr(module, f"{op}_backward")
        self.twin = kernels.TWINS.get(op)

    def forward(self, X, train, rng):
        self.shape = X.shape
        if self.rows and X.ndim != 2:
            X = array_namespace(X).reshape(X, (-1, X.shape[-1]))
        self.fast = self.twin is not None and type(X) is np.ndarray
        arguments = [X]
        if self.states:
            arguments += [
                array_namespace(X).zeros((X.shape[0], self.width), dtype=X.dtype, device=device(X))
            ] * self.states
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

    def step(self, x, kept):
        if self.axes is None:
            return self.forward(x, False, None), kept
        if self.states:
            zeros = [array_namespace(x).zeros((x.shape[0], self.width), dtype=x.dtype, device=device(x))] * self.states
            H, *states, _ = self.pair[0](x, *(kept or zeros), *self.parameters.values(), **self.options)
            return H, states[0] if states else (H[:, -1, :],)
        if not self.causal:
            raise ValueError("expected a layer that looks back only, such as one with {'causal': True}")
        if self.op == "self_attention":
            q, k, v = (x @ W for W in self.parameters.values())
            if kept is None:
                return attention.cached_attention(q, attention.kv_cache(k, v), 1)
            return attention.cached_attention(q, kept, 1, k, v)
        f = getattr(attention, f"{self.op}_step")
        return f(x, *([self.parameters] if self.tree else self.parameters.values()), **self.options, cache=kept)


class _Pointwise:
    """A layer whose output at a position depends on the input there alone."""

    def step(self, x, kept):
        return self.forward(x, False, None), kept


class Activation(_Pointwise):
    """An elementwise f, by its name in `activations.ACTIVATIONS`."""

    features = out_features = axes = None
    preserves_features = True

    def __init__(self, name, options):
        self.parameters, self.state, self.gradients = {}, {}, {}
        self.name, self.options = name, options
        self.in_place = False

    def forward(self, X, train, rng):
        self.fast = type(X) is np.ndarray
        if self.fast:
            Y, self.cache = kernels.activation_forward(X, self.name, out=X if self.in_place else None, **self.options)
        else:
            Y, self.cache = layers.activation_forward(X, self.name, **self.options)
        return Y

    def backward(self, dY, inputs=True):
        return (kernels if self.fast else layers).activation_backward(dY, self.cache)


class BatchNorm(_Pointwise):
    """Batch normalization with its running statistics as the layer's state."""

    axes, preserves_features = (2, 4), True

    def __init__(self, D, options):
        gamma, beta, state = normalization.batchnorm_init(D)
        self.parameters, self.gradients = {"gamma": gamma, "beta": beta}, {}
        self.state = state._asdict()
        self.kind, self.options = type(state), options
        self.features = self.out_features = D

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


class Dropout(_Pointwise):
    """Inverted dropout: active in training only."""

    features = out_features = axes = None
    preserves_features = True

    def __init__(self, p):
        self.parameters, self.state, self.gradients = {}, {}, {}
        self.p = p

    def forward(self, X, train, rng):
        Y, self.cache = dropout.dropout_forward(X, self.p, rng, train=train)
        return Y

    def backward(self, dY, inputs=True):
        return dropout.dropout_backward(dY, self.cache)


class Embedding(_Pointwise):
    """One learned row of E (V, D) for each symbol: X (N, T) whole numbers 0…V−1 -> (N, T,
    D).
    """

    features = axes = None
    preserves_features = False

    def __init__(self, V, D, rng):
        self.parameters, self.state, self.gradients = {"E": rng.standard_normal((V, D))}, {}, {}
        self.out_features = D

    def forward(self, X, train, rng):
        E = self.parameters["E"]
        xp = array_namespace(E)
        self.symbols = as_indices(xp.reshape(X, (-1,)))
        return xp.reshape(xp.take(E, self.symbols, axis=0), (*X.shape, E.shape[1]))

    def backward(self, dY, inputs=True):
        dE = self.gradients["E"]
        xp = array_namespace(dE)
        dY = xp.reshape(dY, (-1, dE.shape[1]))
        if type(dE) is np.ndarray:
            dE[...] = 0.0
            np.add.at(dE, self.symbols, dY)
        else:
            chosen = xp.astype(self.symbols[:, None] == xp.arange(dE.shape[0], device=device(dE)), dE.dtype)
            dE[...] = xp.matrix_transpose(chosen) @ dY


class Flatten:
    """(N, H, W, C) -> (N, H·W·C)."""

    features = out_features = axes = None
    preserves_features = False

    def __init__(self):
        self.parameters, self.state, self.gradients = {}, {}, {}

    def forward(self, X, train, rng):
        self.shape = X.shape
        return array_namespace(X).reshape(X, (X.shape[0], -1))

    def backward(self, dY, inputs=True):
        return array_namespace(dY).reshape(dY, self.shape)


class Last:
    """The last time step, (N, T, H) -> (N, H): the summary that a recurrent layer has made
    of the sequence.
    """

    features = out_features = None
    axes, preserves_features = (3,), True

    def __init__(self):
        self.parameters, self.state, self.gradients = {}, {}, {}

    def forward(self, X, train, rng):
        self.shape = X.shape
        return array_namespace(X).asarray(X[:, -1, :], copy=True)

    def backward(self, dY, inputs=True):
        dX = array_namespace(dY).zeros(self.shape, dtype=dY.dtype, device=device(dY))
        dX[:, -1, :] = dY
        return dX


class Positions:
    """Sinusoidal positions added to each step, (N, T, D) -> (N, T, D)."""

    axes, preserves_features = (3,), True

    def __init__(self, D):
        self.parameters, self.state, self.gradients = {}, {}, {}
        self.features = self.out_features = D
        if D % 2:
            raise ValueError(f"D: expected an even number of features, got {D}")

    def forward(self, X, train, rng):
        positions = from_numpy(attention.sinusoidal_positions(*X.shape[1:]), like=X)
        return X + array_namespace(X).astype(positions, X.dtype)

    def backward(self, dY, inputs=True):
        return dY

    def step(self, x, kept):
        t, table = kept or (0, ())
        if t == len(table):
            # Twice as many, so that no row is computed again and again
            table = attention.sinusoidal_positions(2 * t + 1, x.shape[-1])
        position = array_namespace(x).astype(from_numpy(table[t], like=x), x.dtype)
        return x + position, (t + 1, table)


class Residual:
    """F(X) + S(X): a branch and a shortcut, each a dict of layers in sequence; an empty
    shortcut is X itself.
    """

    axes, preserves_features = None, False

    def __init__(self, branch, shortcut):
        self.paths = {"branch": branch, "shortcut": shortcut}
        self.features = next(iter(branch.values())).features
        self.out_features = next(
            (layer.out_features for layer in reversed(branch.values()) if layer.out_features), None
        )

    # The network sets and reads these for all layers inside
    parameters = property(lambda self: self._trees("parameters"), lambda self, tree: self._hand_out("parameters", tree))
    gradients = property(lambda self: self._trees("gradients"), lambda self, tree: self._hand_out("gradients", tree))
    state = property(
        lambda self: dict(named_leaves(self._trees("state"))), lambda self, x: self._hand_out("state", nest(x.items()))
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

    def step(self, x, kept):
        kept, ends = dict(kept or {}), []
        for path, inner in self.paths.items():
            y = x
            for name, layer in inner.items():
                y, kept[path, name] = step(layer, y, kept.get((path, name)))
            ends.append(y)
        return ends[0] + ends[1], kept


def step(layer, x, kept):
    """``layer.step(x, kept)``; raises ValueError where the layer needs the whole sequence."""
    if not hasattr(layer, "step"):
        raise ValueError("expected a layer of sequences, position by position")
    return layer.step(x, kept)


def _as_tuple(x):
    return x if isinstance(x, tuple) else (x,)


def _assign(views, values):
    """Write the arrays of the (nested) dict `values` into the arrays of `views`."""
    for name, view in views.items():
        if isinstance(view, dict):
            _assign(view, values[name])
        else:
            view[...] = values[name]
