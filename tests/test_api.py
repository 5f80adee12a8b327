"""What a user meets of the package: names, docstrings, seeds, numbers beside arrays, entries that are not numbers."""

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import numpy as np
import pytest
from common import cast, flatten, map_arrays, operations, run

import dlcourse
from autograder.reports import typeset
from dlcourse import neurons, training
from dlcourse._array import is_array

ROOT = Path(dlcourse.__file__).parent
PUBLIC = [
    module.name
    for module in pkgutil.walk_packages(dlcourse.__path__, "dlcourse.")
    if not any(part.startswith("_") for part in module.name.split("."))
    and not module.name.startswith(("dlcourse.explorers", "dlcourse.kernels"))
    and not module.ispkg
]
EXPLORERS = ["dlcourse.explorers", *(f"dlcourse.explorers.{slug}" for slug in dlcourse.TOPICS)]
over_modules = pytest.mark.parametrize("name", PUBLIC)
over_operations = pytest.mark.parametrize("op", operations(), ids=lambda op: op.name)

# --- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PUBLIC + EXPLORERS)
def test_all_and_dir_list_the_public_names_and_no_others(name):
    module = importlib.import_module(name)
    tree = ast.parse(inspect.getsource(module))
    assigned = [
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if hasattr(target, "id")
    ]
    defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    own = {found for found in (*assigned, *defined) if not found.startswith("_")}
    reexported = set(module.__all__) - own
    assert own <= set(module.__all__) and dir(module) == sorted(module.__all__)
    assert reexported == {
        "dlcourse.backpropagation": {"minibatches"},
        "dlcourse.training": {"LAYERS", "Network"},
    }.get(name, set())


@pytest.mark.parametrize("jedi", [True, False])
def test_completion_offers_the_public_names_only(ipython, jedi):
    from IPython.core.completer import provisionalcompleter

    shell = ipython
    shell.Completer.use_jedi = jedi
    shell.user_ns |= {"dlcourse": dlcourse}
    shell.user_ns |= {name.replace(".", "_"): importlib.import_module(name) for name in PUBLIC}
    with provisionalcompleter():
        for name in PUBLIC:
            text = name.replace(".", "_") + "."
            offered = {completion.text.lstrip(".") for completion in shell.Completer.completions(text, len(text))}
            assert offered == set(importlib.import_module(name).__all__)
        offered = {completion.text.lstrip(".") for completion in shell.Completer.completions("dlcourse.", 9)}
    assert {*dlcourse.TOPICS, "TOPICS", "datasets", "losses", "metrics"} <= offered
    assert not any(name.startswith("_") and not name.startswith("__") for name in offered)


def test_modules_are_imported_when_they_are_used():
    code = (
        "import sys, dlcourse\n"
        "assert 'numpy' not in sys.modules and 'dlcourse.neurons' not in sys.modules\n"
        "assert {'neurons', 'losses', 'TOPICS'} <= set(dir(dlcourse))\n"
        "print(dlcourse.neurons.preactivation([[1.0]], [2.0], 0.5), dlcourse.networks.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[2.5] dlcourse.networks\n"
    with pytest.raises(AttributeError) as caught:
        dlcourse.neuron  # noqa: B018
    assert str(caught.value) == "module 'dlcourse' has no attribute 'neuron'"


# --- docstrings -----------------------------------------------------------------------------------------------------


def documented(name):
    """(name, object, how far `help` indents it) of a module, its public functions and classes, and their methods."""
    module = importlib.import_module(name)
    yield name, module, 4
    for attribute in module.__all__:
        x = getattr(module, attribute)
        if (inspect.isfunction(x) or inspect.isclass(x)) and x.__module__ == name:
            yield f"{name}.{attribute}", x, 4
            for method, function in vars(x).items() if inspect.isclass(x) else ():
                if inspect.isfunction(function) and not method.startswith("_") and function.__doc__:
                    yield f"{name}.{attribute}.{method}", function, 8


@over_modules
def test_docstrings_read_as_plain_text_in_a_terminal(name):
    for where, x, indent in documented(name):
        for line in inspect.getdoc(x).splitlines():
            assert len(line) + indent <= 88, f"{where}: {len(line) + indent} columns: {line}"
            assert not re.search(r":[a-z:]+:`|\\[a-z]", line), f"{where}: markup that a terminal shows: {line}"


def test_every_formula_is_typeset():
    shown = 0
    for name in PUBLIC:
        for where, x, _ in documented(name):
            for match in typeset.FORMULA.finditer(inspect.getdoc(x)):
                made = typeset.tex(" ".join(match[1].split()))
                shown += 1
                assert made.isascii(), f"{where}: {match[0]} keeps {[c for c in made if not c.isascii()]}"
                assert made.count("{") - made.count(r"\{") == made.count("}") - made.count(r"\}"), (where, match[0])
    assert shown > 300


def test_typeset_translates_text_and_leaves_names_and_tex():
    assert doctest.testmod(typeset).failed == 0
    lines = [
        "`W_hᵀ` of `linear_forward`",
        "",
        ".. math::",
        "    c̄ = dc ⊙ o",
        "    w ← w − η m̂/(√v̂ + ε)",
        "",
        "and so on",
    ]
    assert typeset.typeset(lines) == [
        r":math:`W_{h}^{\top}` of `linear_forward`",
        "",
        ".. math::",
        "",
        r"    \begin{aligned} \bar{c} &= dc \odot  o \\ w &\leftarrow  w - \eta \, \frac{\hat{m}}{\sqrt{\hat{v}} + \varepsilon } \end{aligned}",
        "",
        "and so on",
    ]
    tex = [".. math::", r"    \frac12 x", ""]
    assert typeset.typeset(tex) == [".. math::", "", r"    \frac12 x", ""]


# --- arrows ---------------------------------------------------------------------------------------------------------

# Modules that belong to the chapter of another
CHAPTERS = {
    "losses": "layers",
    "gradient_checking": "backpropagation",
    "dropout": "regularization",
    "architectures": "convolution",
    "metrics": "training",
}
# What a chapter takes from a later one, and cannot do without
AHEAD = {
    ("neurons", "activations"),  # the sigmoid is the neuron's output
    ("layers", "activations"),  # a layer's output, and its delta
    ("losses", "activations"),
    ("backpropagation", "initializers"),  # mlp_init
    ("backpropagation", "regularization"),  # mlp_loss with weight decay
    ("architectures", "networks"),  # build
}


def imports(path):
    """The modules of the package that a module imports, in functions too, with the first part of their names."""
    here = ["dlcourse", *path.relative_to(ROOT).with_suffix("").parts][:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = here[: len(here) - node.level + 1] + (node.module.split(".") if node.module else [])
            for alias in node.names:
                target = [*base, alias.name]
                yield ".".join(target if ROOT.joinpath(*target[1:]).with_suffix(".py").exists() else base)


def arrows():
    found = {}
    for path in ROOT.rglob("*.py"):
        if "explorers" not in path.parts:
            parts = ("dlcourse", *path.relative_to(ROOT).with_suffix("").parts)
            found[".".join(part for part in parts if part != "__init__")] = set(imports(path))
    return found


def test_no_module_imports_itself_on_a_roundabout_way():
    order = list(TopologicalSorter(arrows()).static_order())  # raises CycleError with the circle
    assert order.index("dlcourse.activations") < order.index("dlcourse.layers") < order.index("dlcourse.training")


def test_a_chapter_does_not_need_a_later_one():
    chapter = {slug: number for number, slug in enumerate(dlcourse.TOPICS)}
    chapter |= {module: chapter[slug] for module, slug in CHAPTERS.items()} | {"networks": chapter["training"]}
    ahead = set()
    for module, targets in arrows().items():
        own = module.removeprefix("dlcourse.")
        for target in targets:
            other = target.removeprefix("dlcourse.").split(".")[0]
            if own in chapter and other in chapter and chapter[other] > chapter[own]:
                ahead.add((own, other))
    assert ahead == AHEAD


# --- seeds ----------------------------------------------------------------------------------------------------------

X, LABELS = np.arange(12.0).reshape(6, 2), np.arange(6) % 2


def trained(rng):
    net = training.Network([("linear", 2, 2), ("dropout", 0.5)], rng=0)
    training.fit(net, X, LABELS, epochs=2, batch_size=2, rng=rng, progress=False)
    return net.w


DRAWS = {
    "dlcourse.architectures.build": lambda build, rng: (
        build(dlcourse.architectures.vgg(11, width=1, input_size=32, classes=2), rng).w
    ),
    "dlcourse.backpropagation.mlp_init": lambda f, rng: f([3, 2, 2], rng),
    "dlcourse.convolution.residual_block_init": lambda f, rng: f(2, rng),
    "dlcourse.convolution.inception_block_init": lambda f, rng: f(2, 1, 1, 1, 1, 1, 1, rng),
    "dlcourse.datasets.blobs": lambda f, rng: f(rng, N=5),
    "dlcourse.datasets.moons": lambda f, rng: f(rng, N=5),
    "dlcourse.datasets.xor": lambda f, rng: f(rng, N=5),
    "dlcourse.datasets.spirals": lambda f, rng: f(rng, N=5),
    "dlcourse.datasets.split": lambda f, rng: f(X, LABELS, rng),
    "dlcourse.datasets.minibatches": lambda f, rng: list(f(X, LABELS, 4, rng)),
    "dlcourse.dropout.dropout_forward": lambda f, rng: f(X, 0.5, rng)[0],
    "dlcourse.regularization.classic_dropout_forward": lambda f, rng: f(X, 0.5, rng)[0],
    "dlcourse.networks.network.Network": lambda f, rng: f([("linear", 2, 2)], rng=rng).w,
    "dlcourse.neurons.sgd_fit": lambda f, rng: f(neurons.linear_neuron_grad, X, LABELS, np.ones(2), 0.0, 0.001, 2, rng),
    "dlcourse.training.Trainer": lambda f, rng: f(training.Network([("linear", 2, 2)], rng=0), rng=rng).rng.random(),
    "dlcourse.training.generate": lambda f, rng: f(
        training.Network([("embedding", 9, 4), ("linear", 4, 9)], rng=0), [0], 8, rng
    ),
    "dlcourse.training.fit": lambda f, rng: trained(rng),
} | {
    f"dlcourse.initializers.{name}": lambda f, rng: f((3, 2), rng)
    for name in ("normal", "uniform_fan_in", "xavier_uniform", "xavier_normal", "he_uniform", "he_normal")
    + ("scaled_normal", "orthogonal")
}


def test_the_table_of_draws_is_complete():
    drawing = set()
    for name in PUBLIC:
        for where, x, _ in documented(name):
            if callable(x) and "rng" in inspect.signature(x).parameters and where.count(".") < 4:
                drawing.add(where)
    assert drawing - {"dlcourse.networks.registry.build", "dlcourse.networks.layers.Embedding"} == set(DRAWS)


@pytest.mark.parametrize("name", DRAWS)
def test_a_seed_is_as_good_as_a_generator(name):
    module, _, attribute = name.rpartition(".")
    function = getattr(importlib.import_module(module), attribute)
    by_seed, again, other = (
        flatten(DRAWS[name](function, rng)) for rng in (3, np.random.default_rng(3), np.random.default_rng(4))
    )
    for path, drawn in by_seed.items():
        np.testing.assert_array_equal(drawn, again[path], err_msg=path)
    assert any(not np.array_equal(drawn, other[path]) for path, drawn in by_seed.items())
    for wrong, message in (
        ("3", "rng: expected a numpy.random.Generator, or a whole number as the seed of one, got '3'"),
        (3.0, "rng: expected a numpy.random.Generator, or a whole number as the seed of one, got 3.0"),
        (True, "rng: expected a numpy.random.Generator, or a whole number as the seed of one, got True"),
        (-3, "rng: expected a whole number of at least 0, got -3"),
    ):
        with pytest.raises((TypeError, ValueError)) as caught:
            DRAWS[name](function, wrong)
        assert str(caught.value) == message


# --- numbers and entries --------------------------------------------------------------------------------------------


@over_operations
def test_a_python_number_beside_an_array_does_not_decide_the_dtype(op):
    inputs = cast(op.inputs(np.random.default_rng(0)), np.float32)
    inputs = map_arrays(lambda x: x.item() if x.ndim == 0 and x.dtype.kind == "f" else x, inputs)
    for path, x in run(op, inputs).items():
        assert not is_array(x) or x.dtype.kind not in "fc" or x.dtype == np.float32, f"{op.name}: {path} is {x.dtype}"


@pytest.mark.parametrize("b", [0.0, 0, np.float64(0.0), np.float32(0.0), np.array(0.0)], ids=repr)
def test_a_fit_in_single_precision_stays_there(b):
    X, d, w = X32, np.array([1.0, -1.0, 1.0, 1.0, -1.0, 1.0], "float32"), np.zeros(2, "float32")
    for fitted in (
        neurons.gd_fit(neurons.linear_neuron_grad, X, d, w, b, 0.001, 3),
        neurons.sgd_fit(neurons.linear_neuron_grad, X, d, w, b, 0.001, 3, rng=0),
        neurons.perceptron_fit(X, d, w, b)[:2],
    ):
        assert [x.dtype for x in fitted] == [np.float32, np.float32]


X32 = X.astype("float32")


@pytest.mark.parametrize("fit", [neurons.gd_fit, lambda *args: neurons.sgd_fit(*args, rng=0)])
@pytest.mark.parametrize("grad, got", [("linear", "'linear'"), (None, "None"), (1.5, "1.5")])
def test_a_gradient_that_is_not_a_function_is_named(fit, grad, got):
    with pytest.raises(TypeError) as caught:
        fit(grad, X, LABELS, np.zeros(2), 0.0, 0.1, 1)
    assert str(caught.value) == f"grad: expected a function grad(X, d, w, b) -> (dw, db), got {got}"


# Sums over the examples that a comparison picks out
DECIDED_BY_COMPARISON = {"neurons.perceptron_criterion", "metrics.accuracy"}


@over_operations
def test_nan_is_computed_through_or_refused(op):
    """As the package's docstring says: no silence but where a comparison decides, no error but of a range."""
    inputs = op.inputs(np.random.default_rng(0))
    paths = [path for path, x in flatten(inputs).items() if is_array(x) and x.dtype.kind == "f" and x.size]
    for path in paths:
        poisoned = map_arrays(np.copy, inputs)
        x = flatten(poisoned)[path]
        x[(0,) * x.ndim] = np.nan
        try:
            results = run(op, poisoned)
        except ValueError as error:
            assert re.search(r"expected .*got nan", str(error)), f"{op.name}: {path}: {error}"
            continue
        floating = [x for x in results.values() if np.asarray(x).dtype.kind == "f"]
        seen = not floating or any(not np.isfinite(x).all() for x in floating)
        assert seen or op.name in DECIDED_BY_COMPARISON, f"{op.name}: NaN in {path} leaves no trace"
