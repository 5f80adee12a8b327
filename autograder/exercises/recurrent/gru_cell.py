"""One step of a GRU, with the reset gate before or after the product."""

import numpy as np

from dlcourse import recurrent
from dlcourse.activations import sigmoid

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, slip
from . import _shared as shared

# --- solution ---------------------------------------------------------------------------------------------------------


def gru_cell_forward(x, h, Wx, Wh, bx, bh, reset_after=False):
    a_r, a_z, a_n = np.split(x @ Wx + bx, 3, axis=1)
    (Ur, Uz, Un), (cr, cz, cn) = np.split(Wh, 3, axis=1), np.split(bh, 3)
    r = sigmoid(a_r + h @ Ur + cr)
    z = sigmoid(a_z + h @ Uz + cz)
    if reset_after:
        n = np.tanh(a_n + r * (h @ Un + cn))
    else:
        n = np.tanh(a_n + (r * h) @ Un + cn)
    return (1 - z) * h + z * n, (x, h, Wx, Wh, bh, r, z, n, reset_after)


def gru_cell_backward(dh, cache):
    x, h, Wx, Wh, bh, r, z, n, reset_after = cache
    (Ur, Uz, Un), cn = np.split(Wh, 3, axis=1), np.split(bh, 3)[2]
    du_n = dh * z * (1 - n**2)
    du_z = dh * (n - h) * z * (1 - z)
    if reset_after:
        dr = du_n * (h @ Un + cn)
        ds, seen = du_n * r, h
        dh_n = ds @ Un.T
    else:
        ds, seen = du_n, r * h
        dr = (du_n @ Un.T) * h
        dh_n = (du_n @ Un.T) * r
    du_r = dr * r * (1 - r)
    dh = dh * (1 - z) + dh_n + du_r @ Ur.T + du_z @ Uz.T
    da = np.concatenate([du_r, du_z, du_n], axis=1)
    dWh = np.concatenate([h.T @ du_r, h.T @ du_z, seen.T @ ds], axis=1)
    dbh = np.concatenate([du_r, du_z, ds], axis=1).sum(axis=0)
    return da @ Wx.T, dh, x.T @ da, dWh, da.sum(axis=0), dbh


# --- cases ------------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, N, D, H, hidden=False, **options):
        args = shared.step(rng, N, D, H, gates=3, biases=2, states=1)
        return Case(name, args, options, dout=rng.standard_normal((N, H)), hidden=hidden)

    return [
        case("three examples", 3, 2, 4),
        case("reset after the product", 3, 2, 4, reset_after=True),
        enlarged(case("one example", 1, 3, 2), 0, 1, small=(2, 3)),
        case("as many examples as inputs and units", 3, 3, 3),
        in_float32(case("", 4, 2, 3, reset_after=True)),
        case("one input", 2, 1, 3),
        case("one unit", 5, 2, 1, hidden=True),
        case("one unit, reset after the product", 2, 4, 1, hidden=True, reset_after=True),
    ]


# --- mistakes ---------------------------------------------------------------------------------------------------------

NEW_STATE = "(1 - z) * h + z * n"
READ = "    a_r, a_z, a_n"
AFTER, BEFORE = "r * (h @ Un + cn)", "(r * h) @ Un + cn"
PATHS = "dh * (1 - z) + dh_n + du_r @ Ur.T + du_z @ Uz.T"
GRADIENTS = "x.T @ da, dWh, da.sum(axis=0), dbh"

# Also made in a GRU over a sequence
STATE_AFTER = slip("    du_n = dh", f"    h_next = {NEW_STATE}\n    du_n = dh",
                   "[h.T @ du_r, h.T @ du_z,", "[h_next.T @ du_r, h_next.T @ du_z,",
                   "du_n * r, h\n", "du_n * r, h_next\n")  # fmt: skip

MISTAKES = [
    Mistake("gate_order",
        slip(READ, "    a_z, a_r, a_n",
             "(Ur, Uz, Un), (cr, cz, cn) =", "(Uz, Ur, Un), (cz, cr, cn) =",
             "(Ur, Uz, Un), cn =", "(Uz, Ur, Un), cn =",
             "[du_r, du_z, du_n]", "[du_z, du_r, du_n]",
             "[h.T @ du_r, h.T @ du_z,", "[h.T @ du_z, h.T @ du_r,",
             "[du_r, du_z, ds]", "[du_z, du_r, ds]"),
        "You read the blocks in the order z, r, n (as Keras has it). Here they lie as r, z, n.", convention=True),
    Mistake("reset_missing", slip(AFTER, "(h @ Un + cn)", BEFORE, "h @ Un + cn"),
        "The candidate sees the whole old state. The reset gate decides how much of it the candidate may use."),
    Mistake("reset_after", slip(READ, f"    reset_after = True\n{READ}"),
        "You let the reset gate act after the product with U_n in every case. That is right for `reset_after=True` "
        "only; otherwise it scales the state before the product.", convention=True),
    Mistake("option_ignored", slip(READ, f"    reset_after = False\n{READ}"),
        "[Right for `reset_after=False`.] With True the reset gate acts on h U_n + c_n."),
    Mistake("update_gate_swapped", slip(NEW_STATE, "z * h + (1 - z) * n"),
        "With you z is the share of the old state, as in PyTorch. Here z is the share of the new: z near 1 takes the "
        "candidate.", convention=True,
        also=[slip(NEW_STATE, "z * h + (1 - z) * n",
                   "dh * z * (1 - n**2)", "dh * (1 - z) * (1 - n**2)",
                   "(n - h)", "(h - n)",
                   PATHS, PATHS.replace("(1 - z)", "z"))]),
    Mistake("reset_on_the_input",
        slip(f"a_n + {AFTER}", "r * (a_n + h @ Un + cn)", f"a_n + {BEFORE}", "r * (a_n + h @ Un + cn)"),
        "The reset gate scales what comes from the old state, not the input's part of the candidate."),
    Mistake("update_gate_for_reset", slip(AFTER, "z * (h @ Un + cn)", BEFORE, "(z * h) @ Un + cn"),
        "The candidate uses the update gate z. The other gate belongs there."),
    Mistake("candidate_with_sigmoid", slip("np.tanh(", "sigmoid(", everywhere=True), shared.SIGMOID_FOR_CANDIDATE),
    Mistake("old_state_not_scaled", slip(NEW_STATE, "h + z * n"),
        "The old state enters whole. The gate trades: as much as z takes of the new, it gives up of the old."),
    Mistake("candidate_not_scaled", slip(NEW_STATE, "(1 - z) * h + n"),
        "The candidate enters whole. The gate says how much of it does."),
    Mistake("bias_not_reset", slip(AFTER, "r * (h @ Un) + cn"),
        "With `reset_after=True` the state's bias c_n stands inside the bracket that the reset gate scales."),
    Mistake("activation_for_derivative", slip("(1 - n**2)", "n", "z * (1 - z)\n", "z\n", "r * (1 - r)", "r"),
        shared.VALUE_FOR_SLOPE),
    Mistake("sigmoid_slope_for_candidate", slip("(1 - n**2)", "n * (1 - n)"), shared.SIGMOID_SLOPE),
    Mistake("update_gate_sign", slip("(n - h)", "(h - n)"),
        "The update gate's gradient has the wrong sign: when z grows, h moves from the old state towards the "
        "candidate."),
    Mistake("old_state_forgotten", slip("(n - h)", "n"),
        "z stands twice in the new state, once as 1 − z. Both places have a share in its gradient."),
    Mistake("carry_path_missing", slip("dh * (1 - z) + dh_n", "dh_n"),
        "The old state also goes straight into the new one, past all gates. That path has a gradient, too."),
    Mistake("candidate_path_missing", slip(" + dh_n", ""),
        "The old state also enters the candidate. What comes back that way is missing in dh."),
    Mistake("gate_paths_missing", slip(" + du_r @ Ur.T + du_z @ Uz.T", ""),
        "The old state also decides the two gates. What comes back through them is missing in dh."),
    Mistake("reset_missing_backward", slip("du_n * r, h", "du_n, h", "(du_n @ Un.T) * r", "du_n @ Un.T"),
        "On its way back from the candidate to the old state the gradient passes the reset gate."),
    Mistake("reset_never_learns", slip("dr * r * (1 - r)", "0 * dr"),
        "The reset gate gets no gradient. What did r multiply?"),
    Mistake("state_not_reset_in_weights", slip("du_n, r * h", "du_n, h"),
        "Without `reset_after`, U_n multiplied r ⊙ h. Its gradient has that as a factor, not h."),
    Mistake("one_bias_gradient", slip("[du_r, du_z, ds]", "[du_r, du_z, du_n]"),
        "The two biases have the same gradient except in the candidate with `reset_after`: the reset gate scales one "
        "of them and not the other."),
    Mistake("bias_forgotten",
        slip("(cr, cz, cn) = np.split(Wh, 3, axis=1), np.split(bh, 3)",
             "(cr, cz, cn) = np.split(Wh, 3, axis=1), (0, 0, 0)"),
        "The second bias, bh, is missing: it belongs to the state's part of each gate."),
    Mistake("off_by_one_state", STATE_AFTER, shared.STATE_AFTER),
    Mistake("mean_for_sum", slip(GRADIENTS, "x.T @ da / len(x), dWh / len(x), da.mean(axis=0), dbh / len(x)"),
        shared.MEAN, convention=True),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def by_gate_forward(x, h, Wx, Wh, bx, bh, reset_after=False):
    (Wr, Wz, Wn), (Ur, Uz, Un) = np.split(Wx, 3, axis=1), np.split(Wh, 3, axis=1)
    (br, bz, bn), (cr, cz, cn) = np.split(bx, 3), np.split(bh, 3)
    r = 1 / (1 + np.exp(-(x @ Wr + br + h @ Ur + cr)))
    z = 1 / (1 + np.exp(-(x @ Wz + bz + h @ Uz + cz)))
    inner = h @ Un + cn
    n = np.tanh(x @ Wn + bn + (r * inner if reset_after else (h * r) @ Un + cn))
    return h + z * (n - h), (x, h, (Wr, Wz, Wn), (Ur, Uz, Un), r, z, n, inner if reset_after else None)


def by_gate_backward(dh, cache):
    x, h, (Wr, Wz, Wn), (Ur, Uz, Un), r, z, n, inner = cache
    an = z * dh * (1 - n) * (1 + n)
    az = z * dh * (1 - z) * (n - h)
    if inner is None:
        through = np.einsum("nk,jk->nj", an, Un)
        ar, sn, dh_n, dUn = through * h * r * (1 - r), an, through * r, (r * h).T @ an
    else:
        ar, sn = an * inner * r * (1 - r), an * r
        dh_n, dUn = sn @ Un.T, h.T @ sn
    return (
        ar @ Wr.T + az @ Wz.T + an @ Wn.T,
        dh - z * dh + dh_n + ar @ Ur.T + az @ Uz.T,
        np.hstack([x.T @ ar, x.T @ az, x.T @ an]),
        np.hstack([h.T @ ar, h.T @ az, dUn]),
        np.hstack([ar, az, an]).sum(0),
        np.hstack([ar, az, sn]).sum(0),
    )


def in_blocks_forward(x, h, Wx, Wh, bx, bh, reset_after=False):
    H = h.shape[1]
    a, u = x @ Wx + bx, h @ Wh + bh
    r, z = sigmoid(a[:, :H] + u[:, :H]), sigmoid(a[:, H : 2 * H] + u[:, H : 2 * H])
    state_part = r * u[:, 2 * H :] if reset_after else (r * h) @ Wh[:, 2 * H :] + bh[2 * H :]
    n = np.tanh(a[:, 2 * H :] + state_part)
    return (1 - z) * h + z * n, (x, h, Wx, Wh, bh, r, z, n, reset_after)


def in_blocks_backward(dh, cache):
    x, h, Wx, Wh, bh, r, z, n, reset_after = cache
    H = h.shape[1]
    Un, cn = Wh[:, 2 * H :], bh[2 * H :]
    du_n = dh * z * (1 - n**2)
    du_z = dh * (n - h) * z * (1 - z)
    if reset_after:
        dr = du_n * (h @ Un + cn)
        ds, seen = du_n * r, h
        dh_n = ds @ Un.T
    else:
        ds, seen = du_n, r * h
        dr = (du_n @ Un.T) * h
        dh_n = (du_n @ Un.T) * r
    du_r = dr * r * (1 - r)
    da = np.concatenate([du_r, du_z, du_n], axis=1)
    du = np.concatenate([du_r, du_z, ds], axis=1)
    dh_before = dh * (1 - z) + dh_n + du[:, : 2 * H] @ Wh[:, : 2 * H].T
    dWh = np.concatenate([h.T @ du_r, h.T @ du_z, seen.T @ ds], axis=1)
    return da @ Wx.T, dh_before, x.T @ da, dWh, da.sum(axis=0), du.sum(axis=0)


EXERCISE = Exercise("recurrent.gru_cell", (recurrent.gru_cell_forward, recurrent.gru_cell_backward), cases, MISTAKES,
    variants=[(by_gate_forward, by_gate_backward), (in_blocks_forward, in_blocks_backward)],
    solution=(gru_cell_forward, gru_cell_backward), points=4,
    why="Two conventions in one cell: to load another library's GRU weights, you have to know on which side of the "
        "product the reset gate stands.",
    hints=("The blocks r and z are ordinary gates. Only the candidate treats its two parts, input and state, "
           "differently.",
           "Backward, from h = (1 − z) ⊙ h + z ⊙ n: three things get a gradient, n, z and the old state.",
           "Write the two forms of n as two branches. In each: what multiplied r, what multiplied U_n?",
           "The old state is used in four places: directly, in the candidate, in r and in z. Its gradient is the sum "
           "of all four."))  # fmt: skip
