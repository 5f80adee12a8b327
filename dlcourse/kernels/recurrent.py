"""Fast twins of LSTM and GRU over a sequence.

Everything lies gate by gate, (gates, T, N, H): a step's gates are pieces of memory without gaps, and its products with the
state are one for each gate, which are small enough for BLAS's kernels without packing. In the cells σ(u) is
½(1 + tanh ½u), with the inner ½ in the weights: one tanh for all gates, exact but for the digits of the left tail.
"""

import numpy as np

from ._shared import column_sums

# Of the LSTM's gates i, f, g, o: those with a sigmoid first, and side by side those that the memory passes through
ORDER = (3, 0, 1, 2)


def lstm_forward(X, h0, c0, Wx, Wh, b):
    """`recurrent.lstm_forward`, one product of each gate for all inputs."""
    N, T, D = X.shape
    H = h0.shape[1]
    x = np.ascontiguousarray(X.swapaxes(0, 1)).reshape(T * N, D)
    Ux, Uh, bias = (_with_halves(_gates(w, H, ORDER), 3) for w in (Wx, Wh, b))
    A = np.matmul(x, Ux).reshape(4, T, N, H)
    bias = np.repeat(bias, N, axis=1)
    h, c, tanh_c = (np.empty((T + extra, N, H), X.dtype) for extra in (1, 1, 0))
    h[0], c[0] = h0, c0
    U, scratch = np.empty((4, N, H), X.dtype), np.empty((N, H), X.dtype)
    for t in range(T):
        a = A[:, t]
        np.matmul(h[t], Uh, out=U)
        U += bias
        a += U
        np.tanh(a, out=a)
        _sigmoid_from_tanh(a[:3])
        o, i, f, g = a
        np.multiply(f, c[t], out=c[t + 1])
        np.multiply(i, g, out=scratch)
        c[t + 1] += scratch
        np.tanh(c[t + 1], out=tanh_c[t])
        np.multiply(o, tanh_c[t], out=h[t + 1])
    out = np.ascontiguousarray(h[1:].swapaxes(0, 1))
    return out, (h[T].copy(), c[T].copy()), (x, Wx, Wh, A, h, c, tanh_c)


def lstm_backward(dH, cache, dhT=None, dcT=None, out=None, inputs=True):
    """`recurrent.lstm_backward`, the weights' gradients as one product of each gate at the end."""
    x, Wx, Wh, A, h, c, tanh_c = cache
    T, N, H = tanh_c.shape
    dWx, dWh, db = out or [np.empty_like(w) for w in (Wx, Wh, Wx[0])]
    dH = np.ascontiguousarray(dH.swapaxes(0, 1))
    dh = np.zeros((N, H), A.dtype) if dhT is None else np.array(dhT, A.dtype)
    dc = np.zeros((N, H), A.dtype) if dcT is None else np.array(dcT, A.dtype)
    Uh_T = _transposed(_gates(Wh, H, ORDER))
    dA, back, through = np.empty_like(A), np.empty((4, N, H), A.dtype), np.empty_like(dh)
    for t in range(T - 1, -1, -1):
        (o, i, f, g), du = A[:, t], dA[:, t]
        sigmoids, du_o, du_i, du_f, du_g = A[:3, t], *du
        dh += dH[t]
        # o(1 − tanh² c) = o − h tanh c
        np.multiply(h[t + 1], tanh_c[t], out=through)
        np.subtract(o, through, out=through)
        through *= dh
        dc += through
        # each gate: its own slope, times what it is multiplied with, times the flow
        np.subtract(1.0, sigmoids, out=du[:3])
        du[:3] *= sigmoids
        np.multiply(g, g, out=du_g)
        np.subtract(1.0, du_g, out=du_g)
        du_o *= tanh_c[t]
        du_i *= g
        du_f *= c[t]
        du_g *= i
        du_o *= dh
        du[1:] *= dc
        dc *= f
        np.matmul(du, Uh_T, out=back)
        np.add.reduce(back, axis=0, out=dh)
    dA = dA.reshape(4, T * N, H)
    before = h[:-1].reshape(T * N, H)
    for du, gate in zip(dA, _columns(H, ORDER), strict=True):
        np.matmul(x.T, du, out=dWx[:, gate])
        np.matmul(before.T, du, out=dWh[:, gate])
        db[gate] = column_sums(du)
    dX = _input_gradient(dA, _gates(Wx, H, ORDER), T) if inputs else None
    return dX, dh, dc, dWx, dWh, db


def gru_forward(X, h0, Wx, Wh, bx, bh, reset_after=False):
    """`recurrent.gru_forward`, one product of each gate for all inputs."""
    N, T, D = X.shape
    H = h0.shape[1]
    x = np.ascontiguousarray(X.swapaxes(0, 1)).reshape(T * N, D)
    Ux, Uh, input_bias, state_bias = (_with_halves(_gates(w, H), 2) for w in (Wx, Wh, bx, bh))
    A = np.matmul(x, Ux).reshape(3, T, N, H)
    input_bias, state_bias = (np.repeat(bias, N, axis=1) for bias in (input_bias, state_bias))
    states, S = np.empty((T + 1, N, H), X.dtype), np.empty((T, N, H), X.dtype)
    states[0] = h0
    U, scratch = np.empty((3, N, H), X.dtype), np.empty((N, H), X.dtype)
    for t in range(T):
        h, s, a = states[t], S[t], A[:, t]
        r, z, n = a
        a += input_bias
        count = 3 if reset_after else 2
        np.matmul(h, Uh[:count], out=U[:count])
        U[:count] += state_bias[:count]
        a[:2] += U[:2]
        np.tanh(a[:2], out=a[:2])
        _sigmoid_from_tanh(a[:2])
        if reset_after:
            s[...] = U[2]
            np.multiply(r, s, out=scratch)
        else:
            np.multiply(r, h, out=s)
            np.matmul(s, Uh[2], out=scratch)
            scratch += state_bias[2]
        n += scratch
        np.tanh(n, out=n)
        np.subtract(n, h, out=scratch)
        scratch *= z
        np.add(h, scratch, out=states[t + 1])
    out = np.ascontiguousarray(states[1:].swapaxes(0, 1))
    return out, (x, Wx, Wh, A, states, S, reset_after)


def gru_backward(dH, cache, out=None, inputs=True):
    """`recurrent.gru_backward`: what does not depend on the flow is computed for all steps at once, before the loop."""
    x, Wx, Wh, A, states, S, reset_after = cache
    T, N, H = S.shape
    dWx, dWh, dbx, dbh = out or [np.empty_like(w) for w in (Wx, Wh, Wx[0], Wx[0])]
    (r, z, n), h = A, states[:-1]
    slope_n = n * n
    np.subtract(1.0, slope_n, out=slope_n)
    slope_n *= z
    keep = 1.0 - z
    slope_z = n - h
    slope_z *= z
    slope_z *= keep
    slope_r = 1.0 - r
    slope_r *= r
    slope_r *= S if reset_after else h
    dH = np.ascontiguousarray(dH.swapaxes(0, 1))
    Uh_T = _transposed(_gates(Wh, H))
    # at the gates' preactivations, r and z, and at s in the place of n
    dU, du_n = np.empty_like(A), np.empty_like(S)
    dh, back = np.zeros((N, H), A.dtype), np.empty((3, N, H), A.dtype)
    for t in range(T - 1, -1, -1):
        du_r, du_z, ds = dU[:, t]
        dh += dH[t]
        np.multiply(dh, slope_z[t], out=du_z)
        np.multiply(dh, slope_n[t], out=du_n[t])
        dh *= keep[t]
        if reset_after:
            np.multiply(du_n[t], slope_r[t], out=du_r)
            np.multiply(du_n[t], r[t], out=ds)
            np.matmul(dU[:, t], Uh_T, out=back)
            dh += back[2]
        else:
            # through s = r⊙h: d(r⊙h) = dn Unᵀ
            ds[...] = du_n[t]
            flow = np.matmul(ds, Uh_T[2], out=back[2])
            np.multiply(flow, slope_r[t], out=du_r)
            flow *= r[t]
            dh += flow
            np.matmul(dU[:2, t], Uh_T[:2], out=back[:2])
        dh += back[0]
        dh += back[1]
    dU, du_n, before = dU.reshape(3, T * N, H), du_n.reshape(T * N, H), h.reshape(T * N, H)
    dA = [dU[0], dU[1], du_n]
    multiplied = [before, before, before if reset_after else S.reshape(T * N, H)]
    for da, du, s, gate in zip(dA, dU, multiplied, _columns(H, range(3)), strict=True):
        np.matmul(x.T, da, out=dWx[:, gate])
        np.matmul(s.T, du, out=dWh[:, gate])
        dbx[gate], dbh[gate] = column_sums(da), column_sums(du)
    dX = _input_gradient(dA, _gates(Wx, H), T) if inputs else None
    return dX, dh, dWx, dWh, dbx, dbh


def _columns(H, order):
    """Where each gate stands among the columns of the weights, in this order of the gates."""
    return [slice(gate * H, (gate + 1) * H) for gate in order]


def _gates(W, H, order=range(3)):
    """Weights (D, gates·H) or biases (gates·H,) as (gates, D, H), a copy; biases with D = 1."""
    return np.stack([np.atleast_2d(W)[:, columns] for columns in _columns(H, order)])


def _with_halves(U, sigmoids):
    """The gates' weights, those of the first `sigmoids` gates halved in place."""
    U[:sigmoids] *= 0.5
    return U


def _sigmoid_from_tanh(a):
    """σ(u) = ½(1 + tanh ½u) from the tanh, in place."""
    a *= 0.5
    a += 0.5


def _transposed(U):
    """Each gate's matrix transposed, a copy without gaps: products with it take two thirds of the time."""
    return np.ascontiguousarray(U.swapaxes(1, 2))


def _input_gradient(dA, Ux, T):
    """dX (N, T, D), the sum over the gates of dA (T·N, H) and Uᵀ."""
    dX = dA[0] @ Ux[0].T
    product = np.empty_like(dX)
    for da, U in zip(dA[1:], Ux[1:], strict=True):
        np.matmul(da, U.T, out=product)
        dX += product
    return np.ascontiguousarray(dX.reshape(T, -1, dX.shape[1]).swapaxes(0, 1))
