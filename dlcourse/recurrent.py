"""Recurrent networks: one cell, the same weights at every step, and a state that
carries the past.

- RNN: `h_t = tanh(x_t W_x + h_(t−1) W_h + b)`.
- LSTM: `C_t = f_t ⊙ C_(t−1) + i_t ⊙ C̃_t`, `h_t = o_t ⊙ tanh(C_t)`: the memory C is
  only scaled and added to, so its gradient survives many steps.
- GRU: `h_t = (1 − z_t) ⊙ h_(t−1) + z_t ⊙ n_t`: one state, and one gate that trades
  the old for the new.

The backward passes are backpropagation through time: the steps in reverse, the
gradient of the state handed from each to the one before; the gradient of a weight
is the sum over the steps, computed as one product after the loop.

The notes multiply one matrix with `[x_t, h_(t−1)]`; here it is in two parts,
`x_t W_x + h_(t−1) W_h`, with the gates side by side along the last axis. Letters: X
(N, T, D) sequences, batch first, x (N, D) one step of them, h (N, H) state, c (N,
H) the LSTM's memory C, H (N, T, H) the states of all steps.
"""

from typing import Any, NamedTuple

from ._array import array_namespace, rows
from ._checks import check_gradient, check_integer, check_shapes
from .activations import sigmoid

__all__ = [
    "GRUCache",
    "GRUGates",
    "LSTMCache",
    "LSTMGates",
    "RNNCache",
    "gru_backward",
    "gru_cell_backward",
    "gru_cell_forward",
    "gru_forward",
    "lstm_backward",
    "lstm_cell_backward",
    "lstm_cell_forward",
    "lstm_forward",
    "rnn_backward",
    "rnn_forward",
    "rnn_truncated_backward",
]


def __dir__():
    return __all__


class RNNCache(NamedTuple):
    """What the backward pass needs: X, the states h_0 … h_T, and the weights."""

    X: Any
    h: list
    Wx: Any
    Wh: Any


class LSTMGates(NamedTuple):
    """One step of an LSTM: h_{t−1}, C_{t−1}, the gates i, f, o, the candidate g = C̃, and
    tanh(C_t).
    """

    h: Any
    c: Any
    i: Any
    f: Any
    g: Any
    o: Any
    tanh_c: Any


class LSTMCache(NamedTuple):
    """What the backward pass needs: the inputs (x of a cell, X of a sequence), the
    weights, and the gates (a list by step).
    """

    X: Any
    Wx: Any
    Wh: Any
    gates: Any


class GRUGates(NamedTuple):
    """One step of a GRU: h_{t−1}, the gates r, z, the candidate n, and s, which is r⊙h or
    (reset_after) h U_n + b_n.
    """

    h: Any
    r: Any
    z: Any
    n: Any
    s: Any


class GRUCache(NamedTuple):
    """What the backward pass needs: the inputs (x of a cell, X of a sequence), the
    weights, the gates, and which form it is.
    """

    X: Any
    Wx: Any
    Wh: Any
    gates: Any
    reset_after: bool


def rnn_forward(X, h0, Wx, Wh, b):
    """Simple recurrent network over a sequence.

    `h_t = tanh(x_t W_x + h_(t−1) W_h + b)`.

    Parameters
    ----------
    X : (N, T, D) array, N sequences of T steps.
    h0 : (N, H) array, the state before the first step.
    Wx : (D, H) array, weights of the input.
    Wh : (H, H) array, weights of the state.
    b : (H,) array, bias.

    Returns
    -------
    H : (N, T, H) array, the state after each step.
    cache : for `rnn_backward`.

    Notes
    -----
    Source: Elman, Finding structure in time (Cognitive Science 14, 1990); Goodfellow,
    Bengio, Courville, Deep Learning (2016), section 10.2.

    Examples
    --------
    >>> X = np.array([[[1.0], [0.0]]])
    >>> H, cache = rnn_forward(
    ...     X, np.zeros((1, 1)), np.ones((1, 1)), np.ones((1, 1)), np.zeros(1)
    ... )
    >>> [round(float(h), 4) for h in H[0, :, 0]]  # tanh(1), tanh(tanh(1))
    [0.7616, 0.642]
    """
    X, h, Wx, Wh, b = check_shapes("N T D, N H, D H, H H, H", X=X, h0=h0, Wx=Wx, Wh=Wh, b=b)
    xp = array_namespace(X)
    U = _product(X, Wx) + b
    states = [h]
    for t in range(X.shape[1]):
        states.append(xp.tanh(U[:, t, :] + states[-1] @ Wh))
    return xp.stack(states[1:], axis=1), RNNCache(X, states, Wx, Wh)


def rnn_backward(dH, cache):
    r"""Gradients of `rnn_forward`, backpropagation through time.

    .. math::
        δ_t = (∂J/∂h_t + δ_(t+1) W_hᵀ) ⊙ (1 − h_t²)
        dW_x = Σ_t x_tᵀ δ_t
        dW_h = Σ_t h_(t−1)ᵀ δ_t
        db = Σ_t 1ᵀ δ_t

    Parameters
    ----------
    dH : (N, T, H) array, ∂J/∂H: the direct gradient of the loss at each step's state.
    cache : from `rnn_forward`.

    Returns
    -------
    (dX, dh0, dWx, dWh, db), each in the shape of its argument.

    Notes
    -----
    A state's gradient passes `W_hᵀ` and tanh′ once for each step back, and vanishes or
    explodes with their product. Source: Goodfellow, Bengio, Courville (2016), sections
    10.2.2 and 10.7.

    Examples
    --------
    >>> X = np.array([[[1.0], [0.0]]])
    >>> H, cache = rnn_forward(
    ...     X, np.zeros((1, 1)), np.zeros((1, 1)), np.ones((1, 1)), np.zeros(1)
    ... )
    >>> dX, dh0, dWx, dWh, db = rnn_backward(np.ones((1, 2, 1)), cache)
    >>> float(dh0[0, 0]), float(dWx[0, 0]), float(db[0])  # tanh′ = 1 at every step
    (2.0, 2.0, 3.0)
    """
    X, h, Wx, Wh = cache
    xp = array_namespace(X)
    H_before = xp.stack(h[:-1], axis=1)
    dH = check_gradient("dH", dH, like=H_before)
    dh, delta = 0.0, []
    for t in reversed(range(X.shape[1])):
        delta.append((dH[:, t, :] + dh) * (1.0 - h[t + 1] ** 2))
        dh = delta[-1] @ xp.matrix_transpose(Wh)
    delta = xp.stack(delta[::-1], axis=1)
    return _product(delta, xp.matrix_transpose(Wx)), dh, *_parameter_gradients(X, H_before, delta)


def rnn_truncated_backward(dH, cache, steps, every=None):
    r"""Gradients of `rnn_forward` by truncated backpropagation through time.

    After every k₁ steps, at e = k₁, 2k₁, … and at the end T, what the loss asks of the
    last k₁ steps goes back, and no further than k₂ steps:

    .. math::
        δ_t^e = (∂J/∂h_t [e − k₁ < t] + δ_(t+1)^e W_hᵀ) ⊙ (1 − h_t²)  for e − k₂ < t ≤ e
        dW_h = Σ_e Σ_t h_(t−1)ᵀ δ_t^e

    and in the same way the other gradients, all with `δ_t = Σ_e δ_t^e`.

    Parameters
    ----------
    dH : (N, T, H) array, ∂J/∂H: the direct gradient of the loss at each step's state.
    cache : RNNCache from `rnn_forward`, whose `h` is the list of the states h_0 … h_T.
    steps : k₂, how many steps a gradient goes back, at least `every`.
    every : k₁, steps from one backward pass to the next; by default `steps`: pieces,
        each with the state of the piece before and without its gradient. (The last
        pass goes back k₂ steps even if fewer are left over.)

    Returns
    -------
    (dX, dh0, dWx, dWh, db), each in the shape of its argument.

    Raises
    ------
    ValueError : steps or every is below 1, or every above steps.

    Notes
    -----
    Work T k₂/k₁ steps, memory for k₂ of them where the passes are made while reading.
    With `steps` ≥ T and `every` = T these are the gradients of `rnn_backward`; with
    `every` = 1 each step's loss goes back over exactly k₂ steps. The state is handed
    on whole, so only what is learned is cut: a dependence longer than k₂ steps gets no
    gradient.
    Source: Williams and Peng, An efficient gradient-based algorithm for on-line
    training of recurrent network trajectories (Neural Computation 2, 1990), BPTT(h;
    h′); Sutskever, Training recurrent neural networks (thesis, Toronto 2013), chapter
    2.

    Examples
    --------
    >>> X = np.array([[[1.0], [0.0], [0.0]]])
    >>> H, cache = rnn_forward(
    ...     X, np.zeros((1, 1)), np.zeros((1, 1)), np.ones((1, 1)), np.zeros(1)
    ... )
    >>> dH = np.array([[[0.0], [0.0], [1.0]]])  # the last step counts, x_1 is not 0
    >>> for steps in (1, 2, 3):  # tanh′ = 1 at every step
    ...     dX, dh0, dWx, dWh, db = rnn_truncated_backward(dH, cache, steps)
    ...     print(float(dWx[0, 0]), float(db[0]))
    0.0 1.0
    0.0 2.0
    1.0 3.0
    """
    X, h, Wx, Wh = cache
    xp = array_namespace(X)
    steps = check_integer("steps", steps)
    every = steps if every is None else check_integer("every", every)
    if every > steps:
        raise ValueError(f"every: expected at most steps = {steps}, got {every}")
    H_before = xp.stack(h[:-1], axis=1)
    dH = check_gradient("dH", dH, like=H_before)
    T = X.shape[1]
    delta = [0.0] * T
    for begin in range(0, T, every):
        end, dh = min(begin + every, T), 0.0
        for t in reversed(range(max(end - steps, 0), end)):
            asked = dH[:, t, :] if t >= begin else 0.0
            back = (asked + dh) * (1.0 - h[t + 1] ** 2)
            delta[t] = delta[t] + back
            dh = back @ xp.matrix_transpose(Wh)
    dh0 = delta[0] @ xp.matrix_transpose(Wh)
    delta = xp.stack(delta, axis=1)
    return _product(delta, xp.matrix_transpose(Wx)), dh0, *_parameter_gradients(X, H_before, delta)


def lstm_cell_forward(x, h, c, Wx, Wh, b):
    r"""One step of an LSTM.

    .. math::
        i = σ(x W_i + h U_i + b_i)
        f = σ(x W_f + h U_f + b_f)
        g = tanh(x W_g + h U_g + b_g)
        o = σ(x W_o + h U_o + b_o)
        c_t = f ⊙ c_(t−1) + i ⊙ g
        h_t = o ⊙ tanh(c_t)

    Parameters
    ----------
    x : (N, D) array, the step's input.
    h, c : (N, H) arrays, state and memory before the step.
    Wx : (D, 4H) array, `[W_i, W_f, W_g, W_o]`.
    Wh : (H, 4H) array, `[U_i, U_f, U_g, U_o]`.
    b : (4H,) array, `[b_i, b_f, b_g, b_o]`.

    Returns
    -------
    h, c : (N, H) arrays, state and memory after the step.
    cache : for `lstm_cell_backward`.

    Notes
    -----
    g is the notes' `C̃`, c their C, o their O. Source: notes 004 (lost in 000, E07);
    Hochreiter and Schmidhuber, Long short-term memory (Neural Computation 9, 1997),
    with the forget gate of Gers, Schmidhuber and Cummins (Neural Computation 12, 2000).

    Examples
    --------
    >>> x, h, c = np.zeros((1, 2)), np.zeros((1, 1)), np.ones((1, 1))
    >>> h, c, cache = lstm_cell_forward(
    ...     x, h, c, np.zeros((2, 4)), np.zeros((1, 4)), np.zeros(4)
    ... )
    >>> # All gates are ½: c = ½·1 + ½·0 and h = ½ tanh(½)
    >>> float(c[0, 0]), round(float(h[0, 0]), 4)
    (0.5, 0.2311)
    """
    x, h, c, Wx, Wh, b = check_shapes("N D, N H, N H, D 4H, H 4H, 4H", x=x, h=h, c=c, Wx=Wx, Wh=Wh, b=b)
    h, c, gates = _lstm_step(x @ Wx + b + h @ Wh, h, c)
    return h, c, LSTMCache(x, Wx, Wh, gates)


def lstm_cell_backward(dh, dc, cache):
    r"""Gradients of `lstm_cell_forward`.

    .. math::
        c̄ = dc + dh ⊙ o ⊙ (1 − tanh² c_t)
        dc_(t−1) = c̄ ⊙ f
        du_i = c̄ g i(1 − i)
        du_f = c̄ c_(t−1) f(1 − f)
        du_g = c̄ i (1 − g²)
        du_o = dh tanh(c_t) o(1 − o)

    and, with the four side by side in du, `dx = du W_xᵀ`, `dh_(t−1) = du W_hᵀ`,
    `dW_x = xᵀ du`, `dW_h = h_(t−1)ᵀ du`, `db = 1ᵀ du`.

    Parameters
    ----------
    dh, dc : (N, H) arrays, ∂J/∂h and ∂J/∂c of the state and memory after the step.
    cache : from `lstm_cell_forward`.

    Returns
    -------
    (dx, dh, dc, dWx, dWh, db), each in the shape of its argument; dh, dc are those of
    the state and memory before.

    Examples
    --------
    >>> x, h, c = np.zeros((1, 2)), np.zeros((1, 1)), np.ones((1, 1))
    >>> *_, cache = lstm_cell_forward(
    ...     x, h, c, np.zeros((2, 4)), np.zeros((1, 4)), np.zeros(4)
    ... )
    >>> dx, dh, dc, dWx, dWh, db = lstm_cell_backward(
    ...     np.zeros((1, 1)), np.ones((1, 1)), cache
    ... )
    >>> float(dc[0, 0]), db  # the memory's gradient passes the forget gate, f = ½
    (0.5, array([0.  , 0.25, 0.5 , 0.  ]))
    """
    x, Wx, Wh, gates = cache
    xp = array_namespace(x)
    dh = check_gradient("dh", dh, like=gates.tanh_c)
    dc = check_gradient("dc", dc, like=gates.tanh_c)
    du, dc = _lstm_step_backward(dh, dc, gates)
    dx, dh = du @ xp.matrix_transpose(Wx), du @ xp.matrix_transpose(Wh)
    return dx, dh, dc, *_parameter_gradients(x, gates.h, du)


def lstm_forward(X, h0, c0, Wx, Wh, b):
    """LSTM over a sequence: `lstm_cell_forward` at every step, with the same weights.

    Parameters
    ----------
    X : (N, T, D) array, N sequences of T steps.
    h0, c0 : (N, H) arrays, state and memory before the first step.
    Wx, Wh, b : as for `lstm_cell_forward`.

    Returns
    -------
    H : (N, T, H) array, the state after each step.
    (hT, cT) : (N, H) arrays, state and memory after the last step: hand them to the
    next piece of a long sequence.
    cache : for `lstm_backward`.

    Notes
    -----
    Source: as for `lstm_cell_forward`.
    Fast twin: `kernels.recurrent.lstm_forward`.

    Examples
    --------
    >>> X, zero = np.zeros((1, 3, 2)), np.zeros((1, 1))
    >>> H, (hT, cT), cache = lstm_forward(
    ...     X, zero, np.ones((1, 1)), np.zeros((2, 4)), np.zeros((1, 4)), np.zeros(4)
    ... )
    >>> H.shape, float(cT[0, 0])  # a forget gate of ½ at each of three steps
    ((1, 3, 1), 0.125)
    """
    X, h, c, Wx, Wh, b = check_shapes("N T D, N H, N H, D 4H, H 4H, 4H", X=X, h0=h0, c0=c0, Wx=Wx, Wh=Wh, b=b)
    xp = array_namespace(X)
    U = _product(X, Wx) + b
    H, steps = [], []
    for t in range(X.shape[1]):
        h, c, gates = _lstm_step(U[:, t, :] + h @ Wh, h, c)
        H.append(h)
        steps.append(gates)
    return xp.stack(H, axis=1), (h, c), LSTMCache(X, Wx, Wh, steps)


def lstm_backward(dH, cache, dhT=None, dcT=None):
    """Gradients of `lstm_forward`, backpropagation through time with the equations of
    `lstm_cell_backward`.

    Parameters
    ----------
    dH : (N, T, H) array, ∂J/∂H: the direct gradient of the loss at each step's state.
    cache : from `lstm_forward`.
    dhT, dcT : (N, H) arrays, gradients of the handed-over state hT (besides dH's last
        step) and memory cT; None for zero.

    Returns
    -------
    (dX, dh0, dc0, dWx, dWh, db), each in the shape of its argument.

    Notes
    -----
    Fast twin: `kernels.recurrent.lstm_backward`.

    Examples
    --------
    >>> X, zero = np.zeros((1, 3, 2)), np.zeros((1, 1))
    >>> *_, cache = lstm_forward(
    ...     X, zero, zero, np.zeros((2, 4)), np.zeros((1, 4)), np.zeros(4)
    ... )
    >>> dX, dh0, dc0, *_ = lstm_backward(
    ...     np.zeros((1, 3, 1)), cache, dcT=np.ones((1, 1))
    ... )
    >>> float(dc0[0, 0])
    0.125
    """
    X, Wx, Wh, steps = cache
    xp = array_namespace(X)
    H_before = xp.stack([gates.h for gates in steps], axis=1)
    dH = check_gradient("dH", dH, like=H_before)
    dh = 0.0 if dhT is None else check_gradient("dhT", dhT, like=steps[-1].h)
    dc = 0.0 if dcT is None else check_gradient("dcT", dcT, like=steps[-1].c)
    dU = []
    for t in reversed(range(X.shape[1])):
        du, dc = _lstm_step_backward(dH[:, t, :] + dh, dc, steps[t])
        dh = du @ xp.matrix_transpose(Wh)
        dU.append(du)
    dU = xp.stack(dU[::-1], axis=1)
    return _product(dU, xp.matrix_transpose(Wx)), dh, dc, *_parameter_gradients(X, H_before, dU)


def gru_cell_forward(x, h, Wx, Wh, bx, bh, reset_after=False):
    r"""One step of a GRU: `h_t = (1 − z) ⊙ h_(t−1) + z ⊙ n`.

    .. math::
        r = σ(x W_r + b_r + h U_r + c_r)
        z = σ(x W_z + b_z + h U_z + c_z)
        n = tanh(x W_n + b_n + (r ⊙ h) U_n + c_n)
        n = tanh(x W_n + b_n + r ⊙ (h U_n + c_n)), with reset_after

    Parameters
    ----------
    x : (N, D) array, the step's input. h : (N, H) array, the state before the step.
    Wx : (D, 3H) array, `[W_r, W_z, W_n]`. Wh : (H, 3H) array, `[U_r, U_z, U_n]`.
    bx : (3H,) array, `[b_r, b_z, b_n]`. bh : (3H,) array, `[c_r, c_z, c_n]`.
    reset_after : whether the reset gate acts on the product with `U_n` rather than on
        the state.

    Returns
    -------
    h : (N, H) array, the state after the step.
    cache : for `gru_cell_backward`.

    Notes
    -----
    r is the notes' g, n their `h̃`. The biases of the input and of the state only
    differ with `reset_after`. Two conventions meet here (E39): z is the share of the
    new, as in the notes and Chung et al.; Cho et al. (2014), PyTorch and cuDNN let z be
    the share of the old, so their z is 1 − z of this one (`W_z, U_z, b_z, c_z` with the
    other sign). PyTorch and cuDNN have `reset_after`.
    Source: notes 004; Chung, Gulcehre, Cho and Bengio, Empirical evaluation of gated
    recurrent neural networks on sequence modeling (arXiv:1412.3555, 2014), section 3.2.

    Examples
    --------
    >>> x, h = np.zeros((1, 2)), np.ones((1, 1))
    >>> h, cache = gru_cell_forward(
    ...     x, h, np.zeros((2, 3)), np.zeros((1, 3)), np.zeros(3), np.zeros(3)
    ... )
    >>> float(h[0, 0])  # z = ½, n = 0
    0.5
    """
    x, h, Wx, Wh, bx, bh = check_shapes("N D, N H, D 3H, H 3H, 3H, 3H", x=x, h=h, Wx=Wx, Wh=Wh, bx=bx, bh=bh)
    h, gates = _gru_step(x @ Wx + bx, h, Wh, bh, reset_after)
    return h, GRUCache(x, Wx, Wh, gates, reset_after)


def gru_cell_backward(dh, cache):
    r"""Gradients of `gru_cell_forward`.

    .. math::
        du_n = dh z (1 − n²)
        du_z = dh (n − h) z(1 − z)
        du_r = dr r(1 − r)

    with `dr = (du_n U_nᵀ) ⊙ h`, or `dr = du_n ⊙ (h U_n + c_n)` for `reset_after`; the
    state gets `dh (1 − z) + du_r U_rᵀ + du_z U_zᵀ` and its share through n.

    Parameters
    ----------
    dh : (N, H) array, ∂J/∂h of the state after the step.
    cache : from `gru_cell_forward`.

    Returns
    -------
    (dx, dh, dWx, dWh, dbx, dbh), each in the shape of its argument; dh is that of the
    state before.

    Examples
    --------
    >>> x, h = np.zeros((1, 2)), np.ones((1, 1))
    >>> _, cache = gru_cell_forward(
    ...     x, h, np.zeros((2, 3)), np.zeros((1, 3)), np.zeros(3), np.zeros(3)
    ... )
    >>> dx, dh, dWx, dWh, dbx, dbh = gru_cell_backward(np.ones((1, 1)), cache)
    >>> float(dh[0, 0]), dbx
    (0.5, array([ 0.  , -0.25,  0.5 ]))
    """
    x, Wx, Wh, gates, reset_after = cache
    dh = check_gradient("dh", dh, like=gates.h)
    da, du, dh = _gru_step_backward(dh, gates, Wh, reset_after)
    dx = da @ array_namespace(x).matrix_transpose(Wx)
    return dx, dh, *_gru_parameter_gradients(x, gates.h, gates.s, da, du, reset_after)


def gru_forward(X, h0, Wx, Wh, bx, bh, reset_after=False):
    """GRU over a sequence: `gru_cell_forward` at every step, with the same weights.

    Parameters
    ----------
    X : (N, T, D) array, N sequences of T steps.
    h0 : (N, H) array, the state before the first step.
    Wx, Wh, bx, bh, reset_after : as for `gru_cell_forward`.

    Returns
    -------
    H : (N, T, H) array, the state after each step.
    cache : for `gru_backward`.

    Notes
    -----
    Source: as for `gru_cell_forward`.
    Fast twin: `kernels.recurrent.gru_forward`.

    Examples
    --------
    >>> X, h0 = np.zeros((1, 3, 2)), np.ones((1, 1))
    >>> H, cache = gru_forward(
    ...     X, h0, np.zeros((2, 3)), np.zeros((1, 3)), np.zeros(3), np.zeros(3)
    ... )
    >>> H[0, :, 0]
    array([0.5  , 0.25 , 0.125])
    """
    X, h, Wx, Wh, bx, bh = check_shapes("N T D, N H, D 3H, H 3H, 3H, 3H", X=X, h0=h0, Wx=Wx, Wh=Wh, bx=bx, bh=bh)
    xp = array_namespace(X)
    A = _product(X, Wx) + bx
    H, steps = [], []
    for t in range(X.shape[1]):
        h, gates = _gru_step(A[:, t, :], h, Wh, bh, reset_after)
        H.append(h)
        steps.append(gates)
    return xp.stack(H, axis=1), GRUCache(X, Wx, Wh, steps, reset_after)


def gru_backward(dH, cache):
    """Gradients of `gru_forward`, backpropagation through time with the equations of
    `gru_cell_backward`.

    Parameters
    ----------
    dH : (N, T, H) array, ∂J/∂H: the direct gradient of the loss at each step's state.
    cache : from `gru_forward`.

    Returns
    -------
    (dX, dh0, dWx, dWh, dbx, dbh), each in the shape of its argument.

    Notes
    -----
    Fast twin: `kernels.recurrent.gru_backward`.

    Examples
    --------
    >>> X, h0 = np.zeros((1, 3, 2)), np.ones((1, 1))
    >>> _, cache = gru_forward(
    ...     X, h0, np.zeros((2, 3)), np.zeros((1, 3)), np.zeros(3), np.zeros(3)
    ... )
    >>> dX, dh0, *_ = gru_backward(np.ones((1, 3, 1)), cache)
    >>> float(dh0[0, 0])  # ½ + ¼ + ⅛
    0.875
    """
    X, Wx, Wh, steps, reset_after = cache
    xp = array_namespace(X)
    H_before = xp.stack([gates.h for gates in steps], axis=1)
    dH = check_gradient("dH", dH, like=H_before)
    dh, dA, dU = 0.0, [], []
    for t in reversed(range(X.shape[1])):
        da, du, dh = _gru_step_backward(dH[:, t, :] + dh, steps[t], Wh, reset_after)
        dA.append(da)
        dU.append(du)
    dA, dU = xp.stack(dA[::-1], axis=1), xp.stack(dU[::-1], axis=1)
    S = xp.stack([gates.s for gates in steps], axis=1)
    dX = _product(dA, xp.matrix_transpose(Wx))
    return dX, dh, *_gru_parameter_gradients(X, H_before, S, dA, dU, reset_after)


def _lstm_step(u, h, c):
    """State, memory and gates after a step, from the preactivations u (N, 4H) of the gates."""
    xp = array_namespace(u)
    i, f, g, o = _blocks(u, 4)
    i, f, g, o = sigmoid(i), sigmoid(f), xp.tanh(g), sigmoid(o)
    c_next = f * c + i * g
    tanh_c = xp.tanh(c_next)
    return o * tanh_c, c_next, LSTMGates(h, c, i, f, g, o, tanh_c)


def _lstm_step_backward(dh, dc, gates):
    """du (N, 4H) at the gates' preactivations, and dc at the memory before the step."""
    _, c, i, f, g, o, tanh_c = gates
    dc = dc + dh * o * (1.0 - tanh_c**2)
    du_i = dc * g * i * (1.0 - i)
    du_f = dc * c * f * (1.0 - f)
    du_g = dc * i * (1.0 - g**2)
    du_o = dh * tanh_c * o * (1.0 - o)
    return array_namespace(dh).concat([du_i, du_f, du_g, du_o], axis=-1), dc * f


def _gru_step(a, h, Wh, bh, reset_after):
    """State and gates after a step, from the inputs' part a = x W_x + b_x (N, 3H) of the preactivations."""
    xp = array_namespace(a)
    H = h.shape[-1]
    r, z = _blocks(sigmoid(a[:, : 2 * H] + h @ Wh[:, : 2 * H] + bh[: 2 * H]), 2)
    if reset_after:
        s = h @ Wh[:, 2 * H :] + bh[2 * H :]
        n = xp.tanh(a[:, 2 * H :] + r * s)
    else:
        s = r * h
        n = xp.tanh(a[:, 2 * H :] + s @ Wh[:, 2 * H :] + bh[2 * H :])
    return (1.0 - z) * h + z * n, GRUGates(h, r, z, n, s)


def _gru_step_backward(dh, gates, Wh, reset_after):
    """da (N, 3H) at the inputs' part of the preactivations, du (N, 3H) at the state's part, dh at the state before."""
    xp = array_namespace(dh)
    h, r, z, n, s = gates
    H = h.shape[-1]
    du_n = dh * z * (1.0 - n**2)
    du_z = dh * (n - h) * z * (1.0 - z)
    if reset_after:
        dr, ds = du_n * s, du_n * r
        dh_n = ds @ xp.matrix_transpose(Wh[:, 2 * H :])
    else:
        ds = du_n
        d_rh = ds @ xp.matrix_transpose(Wh[:, 2 * H :])
        dr, dh_n = d_rh * h, d_rh * r
    du_rz = xp.concat([dr * r * (1.0 - r), du_z], axis=-1)
    dh = dh * (1.0 - z) + dh_n + du_rz @ xp.matrix_transpose(Wh[:, : 2 * H])
    return xp.concat([du_rz, du_n], axis=-1), xp.concat([du_rz, ds], axis=-1), dh


def _gru_parameter_gradients(X, H_before, S, dA, dU, reset_after):
    """(dWx, dWh, dbx, dbh), summed over all leading axes; U_n multiplied the state (reset_after) or s = r⊙h."""
    xp = array_namespace(X)
    H = H_before.shape[-1]
    dWx, dbx = _linear_gradients(X, dA)
    dWh_rz, dbh_rz = _linear_gradients(H_before, dU[..., : 2 * H])
    dWh_n, dbh_n = _linear_gradients(H_before if reset_after else S, dU[..., 2 * H :])
    return dWx, xp.concat([dWh_rz, dWh_n], axis=-1), dbx, xp.concat([dbh_rz, dbh_n])


def _parameter_gradients(X, H_before, dU):
    """(dWx, dWh, db), summed over all leading axes."""
    dWx, db = _linear_gradients(X, dU)
    dWh, _ = _linear_gradients(H_before, dU)
    return dWx, dWh, db


def _linear_gradients(X, dU):
    """(Xᵀ dU, 1ᵀ dU) over all examples and steps in one product."""
    xp = array_namespace(X)
    dU = rows(dU)
    return xp.matrix_transpose(rows(X)) @ dU, xp.sum(dU, axis=0)


def _product(X, W):
    """X W over all examples and steps in one product."""
    return array_namespace(X).reshape(rows(X) @ W, (*X.shape[:-1], W.shape[-1]))


def _blocks(u, count):
    """The gates that lie side by side along the last axis."""
    H = u.shape[-1] // count
    return [u[..., k * H : (k + 1) * H] for k in range(count)]
