"""The names of layers: what a network's specification may say, ("conv2d", 3, 16, 5,
{"padding": 2}), and what it makes.

Each function takes the sizes and options that come after the name, checks them,
draws the initial parameters and returns the layer; `LAYERS` lists them all by name.
"""

import difflib
import inspect
from functools import partial

import numpy as np

from .. import activations, attention, convolution, initializers, layers, normalization, recurrent
from .._array import array_namespace
from .._checks import check_choice, check_integer, check_number
from .layers import Activation, BatchNorm, Dropout, Embedding, Flatten, Last, Operation, Positions, Residual

__all__ = [
    "LAYERS",
    "build",
]


def __dir__():
    return __all__


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
    return Operation(layers, "linear", parameters, features=D, out_features=K, rows=True, output_is_free=True)


def _glu(D, H, *, kind="swiglu", initializer="xavier_uniform", rng):
    D, H = _sizes(D=D, H=H)
    Wa, Wb = (_initial(initializer, (D, H), rng) for _ in range(2))
    parameters = {"Wa": Wa, "ba": np.zeros(H), "Wb": Wb, "bb": np.zeros(H)}
    kinds = ("glu", "reglu", "geglu", "swiglu")
    options = {"kind": check_choice("kind", kind, kinds)}
    return Operation(activations, "glu_layer", parameters, options, features=D, out_features=H, rows=True)


def _activation(name, *, rng, **options):
    check_choice("name", name, activations.ACTIVATIONS)
    known = list(inspect.signature(activations.ACTIVATIONS[name][0]).parameters)[1:]
    for option in options:
        check_choice("option", option, known)
    return Activation(name, options)


def _dropout(p, *, rng):
    return Dropout(check_number("p", p, 0.0, 1.0, include_high=False))


def _positive(eps):
    return check_number("eps", eps, 0.0, include_low=False)


def _batchnorm(D, *, momentum=0.1, eps=1e-5, rng):
    options = {"momentum": check_number("momentum", momentum, 0.0, 1.0), "eps": _positive(eps)}
    return BatchNorm(*_sizes(D=D), options)


def _layernorm(D, *, eps=1e-5, rng):
    (D,) = _sizes(D=D)
    parameters = {"gamma": np.ones(D), "beta": np.zeros(D)}
    return Operation(normalization, "layernorm", parameters, {"eps": _positive(eps)}, features=D, out_features=D)


def _rmsnorm(D, *, eps=1e-5, rng):
    (D,) = _sizes(D=D)
    options = {"eps": _positive(eps)}
    return Operation(normalization, "rmsnorm", {"gamma": np.ones(D)}, options, features=D, out_features=D)


def _conv2d(c_in, c_out, size, *, stride=1, padding=0, bias=True, initializer="he_uniform", rng):
    c_in, c_out = _sizes(c_in=c_in, c_out=c_out)
    if isinstance(size, tuple | list) and len(size) != 2:
        raise ValueError(f"size: expected a whole number or a pair (height, width), got {size!r}")
    kh, kw = _sizes(kh=size, kw=size) if not isinstance(size, tuple | list) else _sizes(kh=size[0], kw=size[1])
    options = {"stride": check_integer("stride", stride), "padding": check_integer("padding", padding, minimum=0)}
    parameters = {"W": _initial(initializer, (kh, kw, c_in, c_out), rng), "b": np.zeros(c_out)}
    layer = Operation(
        convolution,
        "conv2d",
        parameters,
        options,
        features=c_in,
        out_features=c_out,
        axes=(4,),
        output_is_free=True,
    )
    if not bias:
        del parameters["b"]
        layer.pair = _without_bias(*layer.pair)
        layer.twin = layer.twin and _without_bias(*layer.twin)
    return layer


def _without_bias(forward, backward):
    """A convolution's pair with fixed biases of zero."""

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
    return Operation(convolution, "maxpool2d", options=options, axes=(4,), preserves_features=True)


def _avgpool2d(size, *, stride=None, rng):
    (size,) = _sizes(size=size)
    stride = size if stride is None else check_integer("stride", stride)
    return Operation(
        convolution, "avgpool2d", options={"size": size, "stride": stride}, axes=(4,), preserves_features=True
    )


def _residual(branch, shortcut=(), *, rng):
    paths = []
    for name, specs in (("branch", branch), ("shortcut", shortcut)):
        if not isinstance(specs, list | tuple) or (name == "branch" and not specs):
            raise TypeError(f"{name}: expected a list of layers, got {specs!r}")
        built = [build(index, spec, rng) for index, spec in enumerate(specs)]
        paths.append({f"{kind}_{index}": layer for index, (kind, layer) in enumerate(built)})
    return Residual(*paths)


def _global_avgpool(*, rng):
    return Operation(convolution, "global_avgpool", axes=(4,), preserves_features=True)


def _inception_block(*sizes, rng, **options):
    parameters = convolution.inception_block_init(*sizes, rng=rng, **options)
    return Operation(convolution, "inception_block", parameters, tree=True, axes=(4,))


def _residual_block(C, *, hidden=None, out=None, stride=1, rng):
    parameters = convolution.residual_block_init(C, rng, hidden, out)
    options = {"stride": check_integer("stride", stride)}
    if options["stride"] > 1 and out is None:
        raise ValueError(f"stride: expected 1 where no out is given, got {stride}")
    sizes = {"features": C, "out_features": C if out is None else out}
    return Operation(convolution, "residual_block", parameters, options, tree=True, axes=(4,), **sizes)


def _rnn(D, H, *, rng):
    D, H = _sizes(D=D, H=H)
    parameters = _gates(1, D, H, rng) | {"b": np.zeros(H)}
    return Operation(recurrent, "rnn", parameters, features=D, out_features=H, axes=(3,), states=1, width=H)


def _lstm(D, H, *, forget_bias=1.0, rng):
    D, H = _sizes(D=D, H=H)
    b = np.zeros(4 * H)
    # A gate that begins open remembers from the first step on (Jozefowicz et al. 2015)
    b[H : 2 * H] = check_number("forget_bias", forget_bias)
    return Operation(
        recurrent, "lstm", _gates(4, D, H, rng) | {"b": b}, features=D, out_features=H, axes=(3,), states=2, width=H
    )


def _gru(D, H, *, reset_after=False, rng):
    D, H = _sizes(D=D, H=H)
    parameters = _gates(3, D, H, rng) | {"bx": np.zeros(3 * H), "bh": np.zeros(3 * H)}
    options = {"reset_after": bool(reset_after)}
    return Operation(recurrent, "gru", parameters, options, features=D, out_features=H, axes=(3,), states=1, width=H)


def _self_attention(D, d_k, *, causal=False, rng):
    D, d_k = _sizes(D=D, d_k=d_k)
    parameters = {name: initializers.xavier_uniform((D, d_k), rng) for name in ("Wq", "Wk", "Wv")}
    return Operation(attention, "self_attention", parameters, features=D, out_features=d_k, axes=(3,), causal=causal)


def _attention(D, E, heads, *, causal=False, rng):
    D, E, heads = _sizes(D=D, E=E, heads=heads)
    _divides(heads, E=E)
    parameters = {name: initializers.xavier_uniform((D, E), rng) for name in ("Wq", "Wk", "Wv")}
    parameters["Wo"] = initializers.xavier_uniform((E, D), rng)
    return Operation(
        attention,
        "multi_head_attention",
        parameters,
        {"heads": heads},
        features=D,
        out_features=D,
        axes=(3,),
        causal=causal,
    )


def _transformer_block(D, heads, hidden=None, *, causal=False, mlp="gelu", norm="layer", rng):
    D, heads, hidden = _sizes(D=D, heads=heads, hidden=4 * D if hidden is None else hidden)
    _divides(heads, D=D)
    parameters = {}
    for name in attention.block_params(mlp, norm):
        if name.startswith("gamma"):
            parameters[name] = np.ones(D)
        elif name[0] == "b":
            parameters[name] = np.zeros(hidden if name in ("b1", "ba", "bb") else D)
        else:
            shape = {"W1": (D, hidden), "Wa": (D, hidden), "Wb": (D, hidden), "W2": (hidden, D)}.get(name, (D, D))
            parameters[name] = initializers.xavier_uniform(shape, rng)
    return Operation(
        attention,
        "transformer_block",
        parameters,
        {"heads": heads, "mlp": mlp, "norm": norm},
        features=D,
        out_features=D,
        axes=(3,),
        causal=causal,
        tree=True,
    )


def _divides(heads, **size):
    ((name, n),) = size.items()
    if n % heads:
        raise ValueError(f"{name}: expected a multiple of the {heads} heads, got {n}")


LAYERS = {
    "linear": _linear,
    "activation": _activation,
    "glu": _glu,
    "glu_layer": _glu,
    "dropout": _dropout,
    "batchnorm": _batchnorm,
    "layernorm": _layernorm,
    "rmsnorm": _rmsnorm,
    "conv2d": _conv2d,
    "maxpool2d": _maxpool2d,
    "avgpool2d": _avgpool2d,
    "global_avgpool": _global_avgpool,
    "residual_block": _residual_block,
    "inception_block": _inception_block,
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


def build(index, spec, rng):
    """The layer of one specification, (name, sizes…) with a dict of options last, where
    there are any.
    """
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
