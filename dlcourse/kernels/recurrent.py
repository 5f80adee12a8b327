"""Fast twins of LSTM and GRU over a sequence."""

import numpy as np

from ._shared import column_sums
from .activations import sigmoid


def lstm_forward(X, h0, c0, Wx, Wh, b):
    """`recurrent.lstm_forward`, time first, so that a step's rows lie side by side; one product for all inputs.

    All four gates are one sigmoid: tanh u = 2σ(2u) − 1, with the factor 2 in that gate's weights.
    """
    N, T, D = X.shape
    H = h0.shape[1]
    memory = slice(2 * H, 3 * H)
    x = np.ascontiguousarray(X.swapaxes(0, 1)).reshape(T * N, D)
    A = x @ Wx
    A += b
    A[:, memory] *= 2.0
    A = A.reshape(T, N, 4 * H)
    W = np.array(Wh, order="C")
    W[:, memory] *= 2.0
    h, c, tanh_c = (np.empty((T + extra, N, H), X.dtype) for extra in (1, 1, 0))
    h[0], c[0] = h0, c0
    U, scratch = np.empty((N, 4 * H), X.dtype), np.empty((N, H), X.dtype)
    for t in range(T):
        a = A[t]
        np.matmul(h[t], W, out=U)
        a += U
        sigmoid(a.reshape(-1), a.reshape(-1), U.reshape(-1))
        g = a[:, memory]
        g *= 2.0
        g -= 1.0
        np.multiply(a[:, H : 2 * H], c[t], out=c[t + 1])
        np.multiply(a[:, :H], g, out=scratch)
        c[t + 1] += scratch
        np.tanh(c[t + 1], out=tanh_c[t])
        np.multiply(a[:, 3 * H :], tanh_c[t], out=h[t + 1])
    out = np.ascontiguousarray(h[1:].swapaxes(0, 1))
    return out, (h[T].copy(), c[T].copy()), (x, Wx, Wh, A, h, c, tanh_c)


def lstm_backward(dH, cache, dhT=None, dcT=None, out=None, inputs=True):
    """`recurrent.lstm_backward`, a step's four gates side by side; the weights' gradients as one product at the end."""
    x, Wx, Wh, A, h, c, tanh_c = cache
    T, N, H = tanh_c.shape
    dWx, dWh, db = out or [np.empty_like(w) for w in (Wx, Wh, Wx[0])]
    dH = np.ascontiguousarray(dH.swapaxes(0, 1))
    dh = np.zeros((N, H), A.dtype) if dhT is None else np.array(dhT, A.dtype)
    dc = np.zeros((N, H), A.dtype) if dcT is None else np.array(dcT, A.dtype)
    dA, through = np.empty_like(A), np.empty_like(dh)
    for t in range(T - 1, -1, -1):
        a, du = A[t], dA[t]
        i, f, g, o = (a[:, k * H : (k + 1) * H] for k in range(4))
        du_i, du_f, du_g, du_o = (du[:, k * H : (k + 1) * H] for k in range(4))
        dh += dH[t]
        np.multiply(tanh_c[t], tanh_c[t], out=through)
        np.subtract(1.0, through, out=through)
        through *= o
        through *= dh
        dc += through
        # each gate: its own slope, times what it is multiplied with, times the flow
        np.subtract(1.0, a, out=du)
        du *= a
        du_i *= g
        du_f *= c[t]
        du_o *= tanh_c[t]
        np.multiply(g, g, out=du_g)
        np.subtract(1.0, du_g, out=du_g)
        du_g *= i
        du.reshape(N, 4, H)[:, :3] *= dc[:, None, :]
        du_o *= dh
        dc *= f
        np.matmul(du, Wh.T, out=dh)
    dA = dA.reshape(T * N, 4 * H)
    np.matmul(x.T, dA, out=dWx)
    np.matmul(h[:-1].reshape(T * N, H).T, dA, out=dWh)
    db[...] = column_sums(dA)
    dX = np.ascontiguousarray((dA @ Wx.T).reshape(T, N, -1).swapaxes(0, 1)) if inputs else None
    return dX, dh, dc, dWx, dWh, db


def gru_forward(X, h0, Wx, Wh, bx, bh, reset_after=False):
    """`recurrent.gru_forward`, time first, so that a step's rows lie side by side; one product for all inputs."""
    N, T, D = X.shape
    H = h0.shape[1]
    x = np.ascontiguousarray(X.swapaxes(0, 1)).reshape(T * N, D)
    A = x @ Wx
    A += bx
    A[:, : 2 * H] += bh[: 2 * H]
    if not reset_after:
        A[:, 2 * H :] += bh[2 * H :]
    A = A.reshape(T, N, 3 * H)
    states = np.empty((T + 1, N, H), X.dtype)
    S = np.empty((T, N, H), X.dtype)
    states[0] = h0
    U, rz, both, scratch = (np.empty((N, k * H), X.dtype) for k in (3, 2, 2, 1))
    W_rz, W_n = (
        (Wh, None) if reset_after else (np.ascontiguousarray(Wh[:, : 2 * H]), np.ascontiguousarray(Wh[:, 2 * H :]))
    )
    for t in range(T):
        h, s, gates, n = states[t], S[t], A[t, :, : 2 * H], A[t, :, 2 * H :]
        if reset_after:
            np.matmul(h, W_rz, out=U)
            np.add(gates, U[:, : 2 * H], out=rz)
        else:
            np.matmul(h, W_rz, out=rz)
            rz += gates
        sigmoid(rz.reshape(-1), rz.reshape(-1), both.reshape(-1))
        gates[...] = rz
        if reset_after:
            np.add(U[:, 2 * H :], bh[2 * H :], out=s)
            np.multiply(rz[:, :H], s, out=scratch)
        else:
            np.multiply(rz[:, :H], h, out=s)
            np.matmul(s, W_n, out=scratch)
        scratch += n
        np.tanh(scratch, out=scratch)
        n[...] = scratch
        scratch -= h
        scratch *= rz[:, H:]
        np.add(h, scratch, out=states[t + 1])
    out = np.ascontiguousarray(states[1:].swapaxes(0, 1))
    return out, (x, Wx, Wh, A, states, S, reset_after)


def gru_backward(dH, cache, out=None, inputs=True):
    """`recurrent.gru_backward`: what does not depend on the flow is computed for all steps at once, before the loop."""
    x, Wx, Wh, A, states, S, reset_after = cache
    T, N, H = S.shape
    dWx, dWh, dbx, dbh = out or [np.empty_like(w) for w in (Wx, Wh, Wx[0], Wx[0])]
    r, z, n, h = A[..., :H], A[..., H : 2 * H], A[..., 2 * H :], states[:-1]
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
    dA, dS = np.empty_like(A), np.empty_like(S)
    du = np.empty((N, 3 * H), A.dtype)
    W_T = Wh.T if reset_after else Wh[:, : 2 * H].T
    dh, scratch = np.zeros((N, H), A.dtype), np.empty((N, H), A.dtype)
    for t in range(T - 1, -1, -1):
        dh += dH[t]
        da, ds = dA[t], dS[t]
        np.multiply(dh, slope_z[t], out=du[:, H : 2 * H])
        np.multiply(dh, slope_n[t], out=ds)
        dh *= keep[t]
        if reset_after:
            np.multiply(ds, slope_r[t], out=du[:, :H])
            da[:, 2 * H :] = ds
            ds *= r[t]
            du[:, 2 * H :] = ds
            np.matmul(du, W_T, out=scratch)
        else:
            # through s = r⊙h: d(r⊙h) = dn Unᵀ
            flow = ds @ Wh[:, 2 * H :].T
            np.multiply(flow, slope_r[t], out=du[:, :H])
            da[:, 2 * H :] = ds
            flow *= r[t]
            dh += flow
            np.matmul(du[:, : 2 * H], W_T, out=scratch)
        da[:, : 2 * H] = du[:, : 2 * H]
        dh += scratch
    dA, dS, before = dA.reshape(T * N, -1), dS.reshape(T * N, H), h.reshape(T * N, H)
    np.matmul(x.T, dA, out=dWx)
    dbx[...] = column_sums(dA)
    dWh[:, : 2 * H] = before.T @ dA[:, : 2 * H]
    dWh[:, 2 * H :] = (before if reset_after else S.reshape(T * N, H)).T @ dS
    dbh[: 2 * H] = dbx[: 2 * H]
    dbh[2 * H :] = column_sums(dS)
    dX = np.ascontiguousarray((dA @ Wx.T).reshape(T, N, -1).swapaxes(0, 1)) if inputs else None
    return dX, dh, dWx, dWh, dbx, dbh
