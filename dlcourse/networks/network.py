"""Networks: layers in sequence, `U = f_L(… f₂(f₁(X)))`; backpropagation walks them in
reverse.

All parameters of a network are views into one flat vector w, all gradients views
into another, dw: one call of an optimizer moves everything.
"""

import json
import math
import os
import zipfile
from pathlib import Path

import numpy as np

from .._array import array_namespace, device, from_numpy, is_array, to_numpy
from .._checks import check_choice, check_rng, from_list
from .._tree import named_leaves, nest
from .layers import Activation, Embedding, Flatten, Operation, Positions, step
from .registry import build

__all__ = [
    "Network",
]


def __dir__():
    return __all__


class Network:
    """Layers in sequence: `U = f_L(… f₂(f₁(X)))`, and the way back, `∂J/∂X`.

    Parameters
    ----------
    layers : list of specifications, (name, sizes…, options as a dict):
        ``("linear", D, K)``, ``("relu",)``,
        ``("conv2d", c_in, c_out, k, {"stride": 1, "padding": 1})``,
        ``("maxpool2d", size)``, ``("flatten",)``, ``("batchnorm", D)``,
        ``("layernorm", D)``, ``("dropout", p)``, ``("lstm", D, H)``,
        ``("embedding", V, D)``, ``("attention", D, E, heads, {"causal": True})``,
        ``("transformer_block", D, heads)``, ``("last",)``, …; all names are in
        `training.LAYERS`.
    rng : numpy.random.Generator or seed, draws the initial weights and dropout's masks.
    dtype : "float64" or "float32", of the parameters; inputs are converted to it.
    like : an array whose backend and device the parameters live on; NumPy if it is left
        out.

    Attributes
    ----------
    params, grads : {"linear_0": {"W": …, "b": …}, …}, by the layer's name and place;
        every array is a view into the flat vectors `w` and `dw`. Change them in place
        (``net.params["linear_0"]["W"][...] = W``).
    state : the same for values that are not learned, such as batch norm's running
        statistics.

    Raises
    ------
    ValueError, TypeError : a layer has no such name or size, or does not fit the one
        before it; the message says which.

    Examples
    --------
    >>> net = Network(
    ...     [("linear", 2, 3), ("relu",), ("linear", 3, 2)],
    ...     rng=np.random.default_rng(0),
    ... )
    >>> net.forward(np.ones((4, 2))).shape
    (4, 2)
    >>> net
    Network: 17 parameters, float64
      linear_0         9   linear 2 3
      relu_1           0   relu
      linear_2         8   linear 3 2
    """

    def __init__(self, layers, rng, dtype="float64", like=None):
        rng = check_rng(rng)
        if not isinstance(layers, list | tuple) or not layers:
            raise TypeError(f"layers: expected a list of at least one layer, such as ('linear', 2, 1), got {layers!r}")
        try:
            name = None if dtype is None else np.dtype(dtype).name
        except TypeError:
            name = dtype
        check_choice("dtype", name, ("float64", "float32"))
        self.dtype, self.rng = np.dtype(dtype), rng
        self.specs = [
            (spec,) if isinstance(spec, str) else tuple(spec) if isinstance(spec, list) else spec for spec in layers
        ]
        built = [build(index, spec, rng) for index, spec in enumerate(self.specs)]
        self.names = [f"{name}_{index}" for index, (name, _) in enumerate(built)]
        self.layers = [layer for _, layer in built]
        self._check_chain()
        self._lay_out(np.empty(0) if like is None else like)
        self._learns_from = next((index for index, layer in enumerate(self.layers) if layer.parameters), 0)
        # What only reshapes would hand out views of what came in
        self._passes_through = all(isinstance(layer, Flatten | Positions) for layer in self.layers)
        for before, layer in zip(self.layers, self.layers[1:], strict=False):
            if isinstance(layer, Activation) and isinstance(before, Operation) and before.twin:
                layer.in_place = before.output_is_free

    def _check_chain(self):
        """Each layer's features against those that the one before it gives, as far as the sizes alone can say."""
        given, by = None, None
        for index, layer in enumerate(self.layers):
            if layer.features is not None and given is not None and layer.features != given:
                raise ValueError(
                    f"layers[{index}] {self.specs[index]!r}: expected {given} features, as layers[{by}] "
                    f"{self.specs[by]!r} gives, got {layer.features}"
                )
            if layer.out_features is not None:
                given, by = layer.out_features, index
            elif not layer.preserves_features:
                given = None

    def _lay_out(self, like):
        """Copy all parameters into one flat vector, weights first, and put views of it in the layers."""
        xp = array_namespace(like)
        where = device(like)
        dtype = getattr(xp, str(self.dtype))
        found = [(layer, path, x) for layer in self.layers for path, x in named_leaves(layer.parameters)]
        # Weights (matrices) before biases and gains: weight decay is for the former, one slice
        order = sorted(range(len(found)), key=lambda i: found[i][2].ndim < 2)
        size = sum(x.size for _, _, x in found)
        self.weights = sum(x.size for _, _, x in found if x.ndim >= 2)
        self.w, self.dw = (xp.zeros(size, dtype=dtype, device=where) for _ in range(2))
        views, start = {}, 0
        for i in order:
            x = found[i][2]
            views[i] = [xp.reshape(flat[start : start + x.size], x.shape) for flat in (self.w, self.dw)]
            views[i][0][...] = xp.asarray(x.astype(self.dtype), device=where)
            start += x.size
        for layer in self.layers:
            own = [(path, *views[i]) for i, (owner, path, _) in enumerate(found) if owner is layer]
            layer.parameters = nest((path, w) for path, w, _ in own)
            layer.gradients = nest((path, dw) for path, _, dw in own)
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
        """The output U for a batch X; with `train`, dropout is active and batch norm uses
        the batch's statistics.

        Parameters
        ----------
        X : (N, ...) array, examples along the first axis; whole numbers (N, T) where
            the first layer is an embedding.
        train : whether this is a pass of training.
        rng : numpy.random.Generator or seed, draws dropout's masks; the network's own
            if it is left out.
        """
        X = self._input(X)
        rng = self.rng if rng is None else check_rng(rng)
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

    def step(self, x, kept=None):
        """The output at one more position of a sequence, as `forward` of the whole gives
        it, in evaluation mode.

        Parameters
        ----------
        x : (N, 1, D) array, or (N, 1) whole numbers where the first layer is an
            embedding: the new position.
        kept : what the call for the position before returned; None at the first.

        Returns
        -------
        u : (N, 1, K) array.
        kept : the recurrent layers' states, and the keys and values of attention.

        Raises
        ------
        ValueError : a layer needs the whole sequence, such as attention without
            {"causal": True}.
        """
        x = self._input(x)
        kept = list(kept or [None] * len(self.layers))
        for index, layer in enumerate(self.layers):
            try:
                x, kept[index] = step(layer, x, kept[index])
            except (ValueError, TypeError) as error:
                raise type(error)(f"{self._where(index)}: {error}") from None
        self._forward_shape = None
        return x, kept

    def backward(self, dU):
        """Fill `grads` from dU = ∂J/∂U, for the batch of the last `forward`; returns ∂J/∂X
        (None for an embedding).
        """
        if not is_array(dU):
            raise TypeError(f"dU: expected an array, got {type(dU).__name__}")
        xp = array_namespace(dU)
        if dU.dtype != self.w.dtype and xp.isdtype(dU.dtype, ("real floating", "integral")):
            dU = xp.astype(dU, self.w.dtype)
        return self._backward(dU, inputs=True)

    def _backward(self, dU, inputs):
        if getattr(self, "_forward_shape", None) is None:
            raise ValueError("backward: expected a forward pass before it, got none")
        if tuple(dU.shape) != tuple(self._forward_shape):
            raise ValueError(f"dU: expected the output's shape {tuple(self._forward_shape)}, got {tuple(dU.shape)}")
        # Layers below the first one with parameters need no gradient, unless the caller asks for the input's
        first = 0 if inputs else self._learns_from
        for index in range(len(self.layers) - 1, first - 1, -1):
            dU = self.layers[index].backward(dU, inputs or index > first)
        if not inputs:
            return None
        return array_namespace(dU).asarray(dU, copy=True) if self._passes_through else dU

    def _input(self, X):
        X = from_list("X", X)
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
            count = sum(math.prod(x.shape) for _, x in named_leaves(layer.parameters))
            rows.append(f"  {name:<12} {count:>5,}   {' '.join(map(str, spec))}")
        return "\n".join(rows)

    def save(self, path):
        """Write the layers' specifications, all parameters and the state to `path` (.npz,
        without pickle).

        The file appears whole or not at all. The suffix .npz is added where it is
        missing.
        """
        path = _npz(path)
        stored = {f"params:{key}": to_numpy(x) for key, x in named_leaves(self.params)}
        stored |= {f"state:{key}": to_numpy(x) for key, x in named_leaves(self.state)}
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with open(temporary, "wb") as file:
                np.savez(file, layers=np.array(self._specs_json()), **stored)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)

    def _specs_json(self):
        # Sizes may be NumPy's numbers
        return json.dumps(self.specs, default=lambda number: number.item())

    def load(self, path):
        """Read parameters and state that `save` wrote, into this network of the same
        layers; returns the network.

        Raises
        ------
        FileNotFoundError : the file does not exist.
        ValueError : it is not such a file, or it holds other layers or shapes; then the
            network is unchanged.
        """
        path = _npz(path)
        try:
            with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                stored = {key: file[key] for key in file.files}
        except (FileNotFoundError, PermissionError, IsADirectoryError):
            raise
        except (ValueError, TypeError, AttributeError, EOFError, OSError, RuntimeError, zipfile.BadZipFile) as error:
            raise ValueError(f"{path}: expected a file that Network.save wrote, got something else ({error})") from None
        expected = {f"params:{key}": x for key, x in named_leaves(self.params)}
        expected |= {f"state:{key}": x for key, x in named_leaves(self.state)}
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
        # Two heads or four, causal or not: the parameters alone do not tell
        theirs = str(stored.get("layers", self._specs_json()))
        if theirs != self._specs_json():
            raise ValueError(f"{path}: expected the layers {self._specs_json()}, got a file of {theirs}")
        for key, x in named_leaves(self.params):
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
