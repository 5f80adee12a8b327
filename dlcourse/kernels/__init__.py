"""Fast NumPy twins of the formulas that training runs in its inner loop, a file for each topic.

Each twin takes the arguments of its formula and returns the same values; a network uses it for NumPy arrays, and tests
hold the two together. A backward twin takes two more options: `out`, arrays that the parameters' gradients are written
into, and `inputs=False` where the gradient of the input is not needed. The twins do not check their arguments: the
network has done so. A formula that is fast enough as it stands has no twin. Activations and cross-entropies of
hundreds of thousands of numbers are shared among as many threads as OMP_NUM_THREADS says, as matrix products are; without
it one does all.
"""

from .activations import activation_backward, activation_forward
from .attention import (
    multi_head_attention_backward,
    multi_head_attention_forward,
    transformer_block_backward,
    transformer_block_forward,
)
from .convolution import conv2d_backward, conv2d_forward
from .layers import linear_backward, linear_forward, softmax_cross_entropy_with_grad
from .normalization import batchnorm_backward, batchnorm_forward, layernorm_backward, layernorm_forward
from .optimizers import adam_init, adam_update, sgd_update
from .recurrent import gru_backward, gru_forward, lstm_backward, lstm_forward

# {the formula's name without _forward and _backward: (forward, backward)}
TWINS = {
    "linear": (linear_forward, linear_backward),
    "activation": (activation_forward, activation_backward),
    "batchnorm": (batchnorm_forward, batchnorm_backward),
    "layernorm": (layernorm_forward, layernorm_backward),
    "multi_head_attention": (multi_head_attention_forward, multi_head_attention_backward),
    "transformer_block": (transformer_block_forward, transformer_block_backward),
    "conv2d": (conv2d_forward, conv2d_backward),
    "lstm": (lstm_forward, lstm_backward),
    "gru": (gru_forward, gru_backward),
}

# {optimizer: (init or None where the formula's serves, update in place)}
UPDATES = {"sgd": (None, sgd_update), "adam": (adam_init, adam_update)}

__all__ = ["TWINS", "UPDATES", "softmax_cross_entropy_with_grad"]
__all__ += [f.__name__ for pair in (*TWINS.values(), *UPDATES.values()) for f in pair if f]


def __dir__():
    return __all__
