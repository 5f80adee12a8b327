"""Activations: the nonlinearities between the layers, and their derivatives.

A neuron's output is `a = f(z)`. Without f, a stack of linear layers is one linear
layer. Each elementwise ``f`` stands beside its derivative ``f_grad``, both as
functions of the *input*, and `ACTIVATIONS` lists them by name:

- identity: `f(x) = x`, `f′(x) = 1`
- sigmoid: `σ(x) = 1/(1 + e^(−x))`, `σ′(x) = σ(x)(1 − σ(x))`
- tanh: `tanh x = (e^x − e^(−x))/(e^x + e^(−x))`, `tanh′(x) = 1 − tanh² x`
- relu: `f(x) = max(0, x)`, `f′(x) = 1(x > 0)`
- leaky_relu: x for x > 0, else slope·x; derivative 1 for x > 0, else slope
- softplus: `f(x) = log(1 + e^x)`, `f′(x) = σ(x)`
- gelu: `f(x) = x Φ(x)`, `f′(x) = Φ(x) + x φ(x)`
- gelu_tanh: `f(x) = ½ x (1 + tanh u(x))`; derivative in `gelu_tanh_grad`
- silu: `f(x) = x σ(x)`, `f′(x) = σ(x)(1 + x(1 − σ(x)))`
- swish: `f(x) = x σ(βx)`, `f′(x) = silu′(βx)`

Softmax turns the K logits of an example into probabilities,
`p_k = e^(z_k) / Σ_j e^(z_j)`; it mixes its inputs, so it has a backward pass
instead of an elementwise derivative. A gated linear unit lets one linear map of the
input gate another, `y = g(a) ⊙ b`.
"""

import math
from typing import Any, NamedTuple

from ._array import array_namespace, erf, in_place, positive
from ._checks import as_floating, check_choice, check_gradient, check_integer, check_number, check_shapes

__all__ = [
    "ACTIVATIONS",
    "GLULayerCache",
    "geglu",
    "gelu",
    "gelu_grad",
    "gelu_tanh",
    "gelu_tanh_grad",
    "glu",
    "glu_backward",
    "glu_layer_backward",
    "glu_layer_forward",
    "identity",
    "identity_grad",
    "leaky_relu",
    "leaky_relu_grad",
    "log_softmax",
    "reglu",
    "relu",
    "relu_grad",
    "sigmoid",
    "sigmoid_grad",
    "silu",
    "silu_grad",
    "softmax",
    "softmax_backward",
    "softplus",
    "softplus_grad",
    "swiglu",
    "swish",
    "swish_grad",
    "tanh",
    "tanh_grad",
]


def __dir__():
    return __all__


def identity(x):
    """Identity: `f(x) = x`, the activation of a linear output layer.

    Parameters
    ----------
    x : (...) array, the preactivation.

    Returns
    -------
    (...) array, a copy of x.

    Examples
    --------
    >>> identity([-1.0, 2.0])
    array([-1.,  2.])
    """
    x = as_floating(x)
    return array_namespace(x).asarray(x, copy=True)


def identity_grad(x):
    """Derivative of the identity: `f′(x) = 1`.

    Parameters
    ----------
    x : (...) array, the preactivation.

    Returns
    -------
    (...) array of ones.

    Examples
    --------
    >>> identity_grad([-1.0, 2.0])
    array([1., 1.])
    """
    x = as_floating(x)
    return array_namespace(x).ones_like(x)


def sigmoid(x):
    """Logistic sigmoid: `σ(x) = 1/(1 + e^(−x))`.

    Parameters
    ----------
    x : (...) array, the preactivation.

    Returns
    -------
    (...) array in (0, 1); in floating point it does round to 1 for x above about 37
    (float64, E30).

    Notes
    -----
    Computed as `max(e^(−|x|), 1(x > 0)) / (1 + e^(−|x|))`: one exponential, no branch,
    no overflow, and the left tail keeps its digits.
    Source: notes 000, 003 (6), 004; Goodfellow, Bengio, Courville, Deep Learning
    (2016), section 3.10.

    Examples
    --------
    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    x = as_floating(x)
    xp = array_namespace(x)
    # min(−x, x) is −|x|, and stays analytic for the complex step
    e = in_place(xp.exp, in_place(xp.minimum, -x, x))
    p = in_place(xp.maximum, positive(x), e)
    p /= 1.0 + e
    return p


def sigmoid_grad(x):
    """Derivative of the sigmoid at the input: `σ′(x) = σ(x)(1 − σ(x))`.

    Parameters
    ----------
    x : (...) array, the preactivation.

    Returns
    -------
    (...) array in (0, 1/4], largest at 0 (notes 004 say 0.5, E29).

    Notes
    -----
    Computed as `e^(−|x|) / (1 + e^(−|x|))²`, which is even as σ′ is, and keeps the
    right tail, where `1 − σ(x)` would cancel to 0.
    Source: notes 000, 003 (7), 004.

    Examples
    --------
    >>> sigmoid_grad(np.array([0.0]))
    array([0.25])
    """
    x = as_floating(x)
    xp = array_namespace(x)
    # min(−x, x) is −|x|, and stays analytic for the complex step
    slope = in_place(xp.exp, in_place(xp.minimum, -x, x))
    denominator = 1.0 + slope
    denominator *= denominator
    slope /= denominator
    return slope


def tanh(x):
    """Hyperbolic tangent: `tanh x = (e^x − e^(−x))/(e^x + e^(−x)) = 2σ(2x) − 1`.

    Parameters
    ----------
    x : (...) array, the preactivation.

    Returns
    -------
    (...) array in (−1, 1), centred at 0 where the sigmoid is centred at ½.

    Notes
    -----
    Source: notes 000, 003 (8), 004; LeCun, Bottou, Orr, Müller, Efficient BackProp
    (1998), section 4.4.

    Examples
    --------
    >>> tanh(np.array([-1000.0, 0.0, 1000.0]))
    array([-1.,  0.,  1.])
    """
    x = as_floating(x)
    return array_namespace(x).tanh(x)


def tanh_grad(x):
    r"""Derivative of tanh at the input: `tanh′(x) = 1 − tanh² x`.

    Parameters
    ----------
    x : (...) array, the preactivation.

    Returns
    -------
    (...) array in (0, 1], largest at 0; it rounds to 0 for \|x\| above about 19
    (float64).

    Notes
    -----
    Source: notes 000, 003 (9), 004.

    Examples
    --------
    >>> tanh_grad(np.array([0.0, 1000.0]))
    array([1., 0.])
    """
    y = tanh(x)
    return 1.0 - y * y


def relu(x):
    """Rectified linear unit: `f(x) = max(0, x)`.

    Parameters
    ----------
    x : (...) array, the preactivation.

    Returns
    -------
    (...) array, not negative.

    Notes
    -----
    Source: notes 003 (10), 004; Nair and Hinton, Rectified linear units improve
    restricted Boltzmann machines (2010).

    Examples
    --------
    >>> relu(np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 3.])
    """
    x = as_floating(x)
    return array_namespace(x).maximum(x, 0.0)


def relu_grad(x):
    """Derivative of ReLU: `f′(x) = 1(x > 0)`.

    Parameters
    ----------
    x : (...) array, the preactivation.

    Returns
    -------
    (...) array of 0 and 1; 0 at x = 0.

    Notes
    -----
    At 0 the derivative is not defined (notes 003, E27) and notes 004 take 1 (E28). The
    convention here is 0, which is PyTorch's, TensorFlow's and JAX's.

    Examples
    --------
    >>> relu_grad(np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 1.])
    """
    x = as_floating(x)
    return positive(x)


def leaky_relu(x, slope=0.01):
    """Leaky ReLU: `f(x) = max(0, x) + s min(0, x)`.

    Parameters
    ----------
    x : (...) array, the preactivation.
    slope : number s, the slope on the negative side.

    Returns
    -------
    (...) array.

    Notes
    -----
    Source: notes 004; Maas, Hannun, Ng, Rectifier nonlinearities improve neural network
    acoustic models (2013).

    Examples
    --------
    >>> leaky_relu(np.array([-2.0, 0.0, 3.0]), slope=0.1)
    array([-0.2,  0. ,  3. ])
    """
    x, slope = as_floating(x), _finite("slope", slope)
    xp = array_namespace(x)
    y = slope * xp.minimum(x, 0.0)
    y += xp.maximum(x, 0.0)
    return y


def leaky_relu_grad(x, slope=0.01):
    r"""Derivative of leaky ReLU: `f′(x) = 1(x > 0) + s 1(x ≤ 0)`.

    Parameters
    ----------
    x, slope : as for `leaky_relu`.

    Returns
    -------
    (...) array of 1 and s; s at x = 0.

    Examples
    --------
    >>> leaky_relu_grad(np.array([-2.0, 0.0, 3.0]), slope=0.1)
    array([0.1, 0.1, 1. ])
    """
    x, slope = as_floating(x), _finite("slope", slope)
    right = positive(x)
    return right + slope * (1.0 - right)


def softplus(x):
    """Softplus: `f(x) = log(1 + e^x)`, a smooth ReLU.

    Parameters
    ----------
    x : (...) array, the preactivation.

    Returns
    -------
    (...) array, positive.

    Notes
    -----
    Computed as `max(x, 0) + log(1 + e^(−|x|))`, which neither overflows nor loses the
    left tail. `−log σ(x) = softplus(−x)`.
    Source: notes 004; Goodfellow, Bengio, Courville, Deep Learning (2016), section
    3.10.

    Examples
    --------
    >>> softplus(np.array([-1000.0, 0.0, 1000.0]))
    array([0.00000000e+00, 6.93147181e-01, 1.00000000e+03])
    """
    x = as_floating(x)
    xp = array_namespace(x)
    y = in_place(xp.log1p, in_place(xp.exp, xp.minimum(x, -x)))
    y += xp.maximum(x, 0.0)
    return y


def softplus_grad(x):
    """Derivative of softplus: `f′(x) = e^x / (1 + e^x) = σ(x)`.

    Parameters
    ----------
    x : (...) array, the preactivation.

    Returns
    -------
    (...) array in (0, 1).

    Notes
    -----
    Source: notes 004.

    Examples
    --------
    >>> softplus_grad(np.array([0.0]))
    array([0.5])
    """
    return sigmoid(x)


def gelu(x):
    """Gaussian error linear unit: `f(x) = x Φ(x) = ½ x (1 + erf(x / √2))`.

    Parameters
    ----------
    x : (...) array, the preactivation.

    Returns
    -------
    (...) array; the input weighted by the probability that a standard normal number is
    below it.

    Notes
    -----
    The exact form; `gelu_tanh` is the approximation.
    Source: notes 003; Hendrycks and Gimpel, Gaussian error linear units (2016), section
    2.

    Examples
    --------
    >>> np.round(gelu(np.array([-1.0, 0.0, 1.0])), 6)
    array([-0.158655,  0.      ,  0.841345])
    """
    x = as_floating(x)
    return x * _normal_cdf(x)


def gelu_grad(x):
    """Derivative of GELU: `f′(x) = Φ(x) + x φ(x)`.

    The normal density is `φ(x) = e^(−x²/2) / √(2π)`.

    Parameters
    ----------
    x : (...) array, the preactivation.

    Returns
    -------
    (...) array.

    Notes
    -----
    Source: notes 003.

    Examples
    --------
    >>> np.round(gelu_grad(np.array([-1.0, 0.0, 1.0])), 6)
    array([-0.083315,  0.5     ,  1.083315])
    """
    x = as_floating(x)
    xp = array_namespace(x)
    density = xp.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
    return _normal_cdf(x) + x * density


def gelu_tanh(x):
    """Tanh approximation of GELU: `½ x (1 + tanh u)`, `u = √(2/π) (x + 0.044715 x³)`.

    Parameters
    ----------
    x : (...) array, the preactivation.

    Returns
    -------
    (...) array, within 5e-4 of `gelu`.

    Notes
    -----
    Source: notes 003; Hendrycks and Gimpel, Gaussian error linear units (2016), section
    2.

    Examples
    --------
    >>> np.round(gelu_tanh(np.array([-1.0, 0.0, 1.0])), 6)
    array([-0.158808,  0.      ,  0.841192])
    """
    x = as_floating(x)
    # x·x·x, since a power with negative x is many times slower
    u = math.sqrt(2.0 / math.pi) * (x + 0.044715 * x * x * x)
    return 0.5 * x * (1.0 + array_namespace(x).tanh(u))


def gelu_tanh_grad(x):
    """Derivative of `gelu_tanh`: `f′(x) = ½ (1 + tanh u) + ½ x (1 − tanh² u) u′`.

    The inner derivative is `u′ = √(2/π) (1 + 3 · 0.044715 x²)`; the notes write
    `sech² u` for `1 − tanh² u`.

    Parameters
    ----------
    x : (...) array, the preactivation.

    Returns
    -------
    (...) array.

    Notes
    -----
    Source: notes 003.

    Examples
    --------
    >>> np.round(gelu_tanh_grad(np.array([-1.0, 0.0, 1.0])), 6)
    array([-0.082964,  0.5     ,  1.082964])
    """
    x = as_floating(x)
    u = math.sqrt(2.0 / math.pi) * (x + 0.044715 * x * x * x)
    du = math.sqrt(2.0 / math.pi) * (1.0 + 3.0 * 0.044715 * x * x)
    t = array_namespace(x).tanh(u)
    return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * du


def silu(x):
    """Sigmoid linear unit: `f(x) = x σ(x)`.

    Parameters
    ----------
    x : (...) array, the preactivation.

    Returns
    -------
    (...) array; not monotonic, its least value is −0.278 at x = −1.278.

    Notes
    -----
    Source: notes 003; Elfwing, Uchibe, Doya, Sigmoid-weighted linear units for neural
    network function approximation in reinforcement learning (2018).

    Examples
    --------
    >>> silu(np.array([0.0, 1000.0]))
    array([   0., 1000.])
    """
    x = as_floating(x)
    return x * sigmoid(x)


def silu_grad(x):
    """Derivative of SiLU: `f′(x) = σ(x)(1 + x (1 − σ(x)))`.

    Parameters
    ----------
    x : (...) array, the preactivation.

    Returns
    -------
    (...) array.

    Notes
    -----
    `1 − σ(x) = σ(−x)`, as in `sigmoid_grad`. Source: notes 003.

    Examples
    --------
    >>> silu_grad(np.array([0.0, 1000.0]))
    array([0.5, 1. ])
    """
    x = as_floating(x)
    return sigmoid(x) * (1.0 + x * sigmoid(-x))


def swish(x, beta=1.0):
    """Swish: `f(x) = x σ(βx)`; SiLU at β = 1, x/2 at β = 0, near ReLU for large β.

    Parameters
    ----------
    x : (...) array, the preactivation.
    beta : number β, how sharp the gate is.

    Returns
    -------
    (...) array.

    Notes
    -----
    Source: notes 003; Ramachandran, Zoph, Le, Searching for activation functions
    (2017).

    Examples
    --------
    >>> swish(np.array([-2.0, 2.0]), beta=0.0)
    array([-1.,  1.])
    """
    x, beta = as_floating(x), _finite("beta", beta)
    return x * sigmoid(beta * x)


def swish_grad(x, beta=1.0):
    """Derivative of Swish with respect to x: `f′(x) = σ(βx)(1 + βx (1 − σ(βx)))`.

    Parameters
    ----------
    x, beta : as for `swish`.

    Returns
    -------
    (...) array.

    Notes
    -----
    Since `Swish_β(x) = SiLU(β x) / β`, it is SiLU′ at βx.

    Examples
    --------
    >>> swish_grad(np.array([-2.0, 0.0, 2.0]), beta=0.0)
    array([0.5, 0.5, 0.5])
    """
    x, beta = as_floating(x), _finite("beta", beta)
    return silu_grad(beta * x)


ACTIVATIONS = {
    "identity": (identity, identity_grad),
    "sigmoid": (sigmoid, sigmoid_grad),
    "tanh": (tanh, tanh_grad),
    "relu": (relu, relu_grad),
    "leaky_relu": (leaky_relu, leaky_relu_grad),
    "softplus": (softplus, softplus_grad),
    "gelu": (gelu, gelu_grad),
    "gelu_tanh": (gelu_tanh, gelu_tanh_grad),
    "silu": (silu, silu_grad),
    "swish": (swish, swish_grad),
}


def softmax(z, axis=-1):
    """Softmax: `p_k = e^(z_k) / Σ_j e^(z_j)`.

    Parameters
    ----------
    z : (..., K) array, logits.
    axis : the classes' axis.

    Returns
    -------
    (..., K) array, probabilities; they sum to 1 along `axis`.

    Raises
    ------
    ValueError : z has no entry, or no such axis.

    Notes
    -----
    Shifting by max(z) leaves p unchanged and keeps exp from overflowing.
    Source: notes 000, 004; Goodfellow, Bengio, Courville, Deep Learning (2016),
    sections 4.1 and 6.2.2.3.

    Examples
    --------
    >>> softmax(np.array([[0.0, 0.0], [1000.0, -1000.0]]))
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    z = _with_axis("z", z, axis)
    xp = array_namespace(z)
    e = in_place(xp.exp, z - xp.max(z, axis=axis, keepdims=True))
    e /= xp.sum(e, axis=axis, keepdims=True)
    return e


def log_softmax(z, axis=-1):
    """Logarithm of softmax: `log p_k = z_k − log Σ_j e^(z_j)`.

    Parameters
    ----------
    z, axis : as for `softmax`.

    Returns
    -------
    (..., K) array, log-probabilities, at most 0; finite where the probability itself
    rounds to 0.

    Raises
    ------
    ValueError : as for `softmax`.

    Notes
    -----
    Shifted by max(z) like `softmax`, so the sum is at least 1 and its logarithm never
    sees a 0.
    Source: Goodfellow, Bengio, Courville, Deep Learning (2016), sections 4.1 and
    6.2.2.3.

    Examples
    --------
    >>> log_softmax(np.array([1000.0, -1000.0]))
    array([    0., -2000.])
    """
    z = _with_axis("z", z, axis)
    xp = array_namespace(z)
    shifted = z - xp.max(z, axis=axis, keepdims=True)
    shifted -= xp.log(xp.sum(xp.exp(shifted), axis=axis, keepdims=True))
    return shifted


def softmax_backward(dp, p, axis=-1):
    """Backward pass of softmax: `dz_k = p_k (dp_k − Σ_j p_j dp_j)`.

    Parameters
    ----------
    dp : (..., K) array, ∂J/∂p.
    p : (..., K) array, the output of `softmax`.
    axis : the classes' axis.

    Returns
    -------
    dz : (..., K) array, ∂J/∂z; it sums to 0 along `axis`, since a shift of z changes
        nothing.

    Raises
    ------
    ValueError : dp does not have the shape of p, or as for `softmax`.

    Notes
    -----
    The Jacobian is `∂p_k/∂z_j = p_k (1(k = j) − p_j)`.
    Source: Bishop, Pattern Recognition and Machine Learning (2006), (4.106).

    Examples
    --------
    >>> softmax_backward(np.array([1.0, 0.0]), np.array([0.5, 0.5]))
    array([ 0.25, -0.25])
    """
    p = _with_axis("p", p, axis)
    dp = check_gradient("dp", dp, p)
    xp = array_namespace(p)
    return p * (dp - xp.sum(dp * p, axis=axis, keepdims=True))


def glu(a, b):
    """Gated linear unit: `y = σ(a) ⊙ b`.

    Parameters
    ----------
    a : (...) array, the input of the gate.
    b : (...) array, what is gated.

    Returns
    -------
    (...) array y.

    Raises
    ------
    ValueError : a and b differ in shape.

    Notes
    -----
    a and b are two linear maps of one input, not its two halves (notes 003, E25). The
    gate comes first, as in the notes and in Shazeer; in Dauphin et al. and in PyTorch's
    `glu` the second half is the gate.
    Source: notes 003; Dauphin, Fan, Auli, Grangier, Language modeling with gated
    convolutional networks (2017); Shazeer, GLU variants improve Transformer (2020),
    section 2.

    Examples
    --------
    >>> glu(np.array([0.0, 1000.0]), np.array([2.0, 3.0]))
    array([1., 3.])
    """
    a, b = check_shapes("..., ...", a=a, b=b)
    return sigmoid(a) * b


def reglu(a, b):
    """GLU with a ReLU for the gate: `y = ReLU(a) ⊙ b`.

    Parameters
    ----------
    a, b : as for `glu`.

    Returns
    -------
    (...) array y.

    Notes
    -----
    Source: notes 003; Shazeer, GLU variants improve Transformer (2020), section 2.

    Examples
    --------
    >>> reglu(np.array([-1.0, 2.0]), np.array([2.0, 3.0]))
    array([0., 6.])
    """
    a, b = check_shapes("..., ...", a=a, b=b)
    return relu(a) * b


def geglu(a, b):
    """GLU with a GELU for the gate: `y = GELU(a) ⊙ b`, in its exact form.

    Parameters
    ----------
    a, b : as for `glu`.

    Returns
    -------
    (...) array y.

    Notes
    -----
    Source: notes 003; Shazeer, GLU variants improve Transformer (2020), section 2.

    Examples
    --------
    >>> np.round(geglu(np.array([0.0, 1.0]), np.array([2.0, 3.0])), 6)
    array([0.      , 2.524034])
    """
    a, b = check_shapes("..., ...", a=a, b=b)
    return gelu(a) * b


def swiglu(a, b):
    """GLU with a SiLU (Swish, β = 1) for the gate: `y = SiLU(a) ⊙ b`.

    Parameters
    ----------
    a, b : as for `glu`.

    Returns
    -------
    (...) array y.

    Notes
    -----
    Source: notes 003; Shazeer, GLU variants improve Transformer (2020), section 2.

    Examples
    --------
    >>> swiglu(np.array([0.0, 1000.0]), np.array([2.0, 3.0]))
    array([   0., 3000.])
    """
    a, b = check_shapes("..., ...", a=a, b=b)
    return silu(a) * b


_GATES = {
    "glu": (glu, sigmoid, sigmoid_grad),
    "reglu": (reglu, relu, relu_grad),
    "geglu": (geglu, gelu, gelu_grad),
    "swiglu": (swiglu, silu, silu_grad),
}


def glu_backward(dy, a, b, kind="swiglu"):
    """Backward pass of the gated units: `da = dy ⊙ g′(a) ⊙ b`, `db = dy ⊙ g(a)`.

    Parameters
    ----------
    dy : (...) array, ∂J/∂y.
    a, b : (...) arrays, the inputs of the forward pass.
    kind : "glu", "reglu", "geglu" or "swiglu"; g is σ, ReLU, GELU or SiLU.

    Returns
    -------
    da, db : (...) arrays, ∂J/∂a and ∂J/∂b.

    Raises
    ------
    ValueError : the shapes differ, or the kind is unknown.

    Notes
    -----
    The notes list the factors g′(a) ⊙ b and g(a) alone; the upstream ∂J/∂y belongs to
    each of them (E25).

    Examples
    --------
    >>> glu_backward(np.array([10.0]), np.array([2.0]), np.array([3.0]), kind="reglu")
    (array([30.]), array([20.]))
    """
    a, b = check_shapes("..., ...", a=a, b=b)
    dy = check_gradient("dy", dy, a)
    _, g, g_grad = _GATES[check_choice("kind", kind, _GATES)]
    return dy * g_grad(a) * b, dy * g(a)


class GLULayerCache(NamedTuple):
    """What `glu_layer_backward` needs: the inputs X, both weights, both preactivations
    a and b, and the kind of gate.
    """

    X: Any
    Wa: Any
    Wb: Any
    a: Any
    b: Any
    kind: str


def glu_layer_forward(X, Wa, ba, Wb, bb, kind):
    """A gated layer: `Y = g(X W_a + b_a) ⊙ (X W_b + b_b)`.

    Parameters
    ----------
    X : (N, D) array, examples as rows.
    Wa, Wb : (D, K) arrays, weights of the gate and of what is gated.
    ba, bb : (K,) arrays, biases.
    kind : "glu", "reglu", "geglu" or "swiglu".

    Returns
    -------
    Y : (N, K) array.
    cache : for `glu_layer_backward`.

    Raises
    ------
    ValueError : the shapes do not match, X is empty, or the kind is unknown.

    Notes
    -----
    Source: notes 003; Shazeer, GLU variants improve Transformer (2020), section 2
    (there without biases).

    Examples
    --------
    >>> X, I = np.array([[2.0, 3.0]]), np.eye(2)
    >>> Y, cache = glu_layer_forward(
    ...     X, I, np.array([0.0, -5.0]), I, np.array([1.0, 1.0]), "reglu"
    ... )
    >>> Y
    array([[6., 0.]])
    """
    X, Wa, ba, Wb, bb = check_shapes("N D, D K, K, D K, K", X=X, Wa=Wa, ba=ba, Wb=Wb, bb=bb)
    unit, _, _ = _GATES[check_choice("kind", kind, _GATES)]
    a, b = X @ Wa + ba, X @ Wb + bb
    return unit(a, b), GLULayerCache(X, Wa, Wb, a, b, kind)


def glu_layer_backward(dY, cache):
    """Backward pass of `glu_layer_forward`.

    The gradient passes the gate, then both linear maps; their two dX add up.

    Parameters
    ----------
    dY : (N, K) array, ∂J/∂Y.
    cache : from `glu_layer_forward`.

    Returns
    -------
    dX : (N, D) array.
    dWa : (D, K) array.
    dba : (K,) array.
    dWb : (D, K) array.
    dbb : (K,) array.

    Notes
    -----
    `dW_a = Xᵀ (dY ⊙ g′(a) ⊙ b)` and `dW_b = Xᵀ (dY ⊙ g(a))` (notes 003, E25).

    Examples
    --------
    >>> X, I = np.array([[2.0, 3.0]]), np.eye(2)
    >>> Y, cache = glu_layer_forward(
    ...     X, I, np.array([0.0, -5.0]), I, np.array([1.0, 1.0]), "reglu"
    ... )
    >>> dX, dWa, dba, dWb, dbb = glu_layer_backward(np.array([[1.0, 1.0]]), cache)
    >>> dX
    array([[5., 0.]])
    """
    X, Wa, Wb, a, b, kind = cache
    dY = check_gradient("dY", dY, a)
    xp = array_namespace(dY)
    da, db = glu_backward(dY, a, b, kind)
    dX = da @ xp.matrix_transpose(Wa) + db @ xp.matrix_transpose(Wb)
    dWa, dWb = xp.matrix_transpose(X) @ da, xp.matrix_transpose(X) @ db
    return dX, dWa, xp.sum(da, axis=0), dWb, xp.sum(db, axis=0)


def _normal_cdf(x):
    """Φ(x), the standard normal distribution function."""
    return 0.5 * (1.0 + erf(x / math.sqrt(2.0)))


def _finite(name, value):
    """An option as a Python number, which follows the array's dtype where a NumPy one would decide it."""
    return check_number(name, value, include_low=False, include_high=False)


def _with_axis(name, z, axis):
    """`z` as a floating array with entries, if it has the axis."""
    z = as_floating(z, name)
    if 0 in z.shape or z.ndim == 0:
        raise ValueError(f"{name}: expected at least one axis and one entry along each, got shape {tuple(z.shape)}")
    check_integer("axis", axis, minimum=-z.ndim)
    if axis >= z.ndim:
        raise ValueError(f"axis: expected a whole number from {-z.ndim} to {z.ndim - 1}, got {axis}")
    return z
