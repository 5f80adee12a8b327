"""Exercises on neurons, in the assignment's order."""

from ...checks.exercise import in_order

EXERCISES = in_order(
    __name__,
    "preactivation",
    "perceptron_predict",
    "signed_distance",
    "perceptron_criterion",
    "perceptron_criterion_grad",
    "perceptron_fit",
    "hunt_perceptron_fit",
    "linear_neuron_loss",
    "linear_neuron_grad",
    "sigmoid_neuron_loss",
    "sigmoid_neuron_grad",
    "logistic_neuron_loss",
    "logistic_chain",
    "logistic_neuron_grad",
    "logistic_neuron_predict",
    "gd_fit",
    "sgd_fit",
    "project",
)
