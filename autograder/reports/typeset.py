r"""Formulas of the docstrings, typeset for the site and for the pages of feedback.

A docstring writes its formulas in plain text, to be read in a terminal: `J = ½ Σ (d − u)²` between backticks, or a block
below ``.. math::`` with one equation a line. `tex` translates one formula into TeX, `typeset` all of a docstring's.
A name between backticks (`preactivation`, `X`) stays a name, and TeX that is already there stays too.
"""

import re

SYMBOLS = {
    **{"α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\varepsilon", "η": r"\eta"},
    **{"λ": r"\lambda", "μ": r"\mu", "π": r"\pi", "ρ": r"\rho", "σ": r"\sigma", "τ": r"\tau", "φ": r"\varphi"},
    **{"Δ": r"\Delta", "Φ": r"\Phi", "Σ": r"\sum", "Π": r"\prod", "∫": r"\int", "∂": r"\partial", "∇": r"\nabla"},
    **{"⊙": r"\odot", "·": r"\cdot", "∗": "*", "⋆": r"\star", "←": r"\leftarrow", "≤": r"\le", "≠": r"\ne"},
    **{"≈": r"\approx", "~": r"\sim", "‖": r"\|", "⌊": r"\lfloor", "⌋": r"\rfloor", "−": "-", "′": "'", "…": r"\dots"},
    **{"½": r"\tfrac12", "#": r"\#", "{": r"\{", "}": r"\}"},
}
ACCENTS = {"\u0302": r"\hat", "\u0303": r"\tilde", "\u0304": r"\bar"}
RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻ᵀ", [*"0123456789-", r"\top"], strict=True))
LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))
FUNCTIONS = ("log", "ln", "exp", "max", "min", "sin", "cos", "tanh", "argmax", "sech")
# Set upright; any other letters that stand together are a product, or a letter's differential
WORDS = (
    *(
        "relu",
        "gelu",
        "silu",
        "softmax",
        "softplus",
        "sigmoid",
        "sign",
        "erf",
        "maxpool",
        "parameters",
        "multiply-adds",
    ),
    *("ReLU", "GELU", "SiLU", "Swish", "LN", "MLP", "MultiHead", "Attention", "Bernoulli", "Var", "Im", "self"),
    *("in", "out", "run", "new", "heads", "tiny", "slope", "std"),
)
TEXT = re.compile(r", (with [\w ]+)$")
TOKEN = re.compile(rf"(?:{'|'.join(sorted((*FUNCTIONS, *WORDS), reverse=True))})(?![A-Za-z])|[0-9.]+|\s+|.")
# The index of a layer stands above its letter
LAYER = re.compile(r"\[[lL0-9](?:[−+]1)?\]")
SCRIPT = re.compile(r"[A-Za-z0-9]+|.")
CLOSING = {"(": ")", "[": "]"}
# Where the lines of a block are aligned, and what a space stands beside where it does not mean a product
RELATION = re.compile(r" (=|\+=|\\leftarrow|\\sim)")
BETWEEN = re.compile(rf"(?:[-−+=·⊙∗⋆←≤≠≈~/,:;<>ΣΠ½|#]|{'|'.join(FUNCTIONS)})$")


def tex(formula):
    r"""The TeX of a formula in plain text.

    >>> print(tex("J = ½ Σ_p (d_p − u_p)²"))
    J = \tfrac12 \sum _{p} (d_{p} - u_{p})^{2}
    >>> print(tex("σ(x) = 1/(1 + e^(−x))"))
    \sigma (x) = \frac{1}{1 + e^{-x}}
    >>> print(tex("δ[l] = (δ[l+1] W[l+1]ᵀ) ⊙ g′(Z[l])"))
    \delta ^{[l]} = (\delta ^{[l+1]}\, W^{[l+1]\top}) \odot  g'(Z^{[l]})
    """
    words = TEXT.search(formula)
    if words:
        formula = formula[: words.start()]
    made = _Reader(formula).until(None).strip()
    return made + rf" \quad \text{{{words[1]}}}".replace("_", r"\_") if words else made


class _Reader:
    """Reads a formula from left to right; every method returns the TeX of what it has read."""

    def __init__(self, text):
        self.text, self.at = text, 0

    def next(self):
        return self.text[self.at : self.at + 1]

    def take(self, pattern):
        match = pattern.match(self.text, self.at)
        self.at = match.end()
        return match[0]

    def until(self, end):
        made = ""
        while self.at < len(self.text) and self.next() != end:
            made += self.term()
        self.at += 1
        return made

    def term(self):
        """An atom with its scripts; a fraction where a slash without spaces joins it to something in brackets."""
        atom, bare = self.atom()
        scripts = self.scripts()
        after = self.text[self.at + 1 : self.at + 2]
        in_brackets, number = bare != atom, atom.isdigit()
        if self.next() == "/" and (after == "(" or (in_brackets and after == "√") or (number and after.isalnum())):
            self.at += 1
            below, bare_below = self.atom()
            scripts_below = self.scripts()
            above = atom + scripts if scripts else bare
            return rf"\frac{{{above}}}{{{below + scripts_below if scripts_below else bare_below}}}"
        return atom + scripts

    def atom(self):
        """The TeX of the next token or bracket, with its brackets and without."""
        if self.next() in CLOSING:
            opening, closing = self.next(), CLOSING[self.next()]
            self.at += 1
            inside = self.until(closing)
            return opening + inside + closing, inside
        if self.next() == "√":
            self.at += 1
            atom, bare = self.atom()
            root = rf"\sqrt{{{bare if bare != atom else atom + self.scripts()}}}"
            return root, root
        start = self.at
        token = self.take(TOKEN)
        if token.isspace():
            product = not BETWEEN.search(self.text[:start]) and re.match(r"[\w√∂∇‖]", self.next())
            return (r"\, " if product else " ",) * 2
        # An indicator 1(…) and a column of ones
        ones = token == "1" and (self.next() in ("(", "ᵀ") or self.text[: self.at - 1].endswith("ᵀ "))
        made = r"\mathbf{1}" if ones else _symbol(token)
        if self.next() and self.next() in ACCENTS:
            made = rf"{ACCENTS[self.next()]}{{{made}}}"
            self.at += 1
        return made, made

    def scripts(self):
        """Everything above and below the last atom."""
        above = below = ""
        while self.at < len(self.text):
            sign = self.next()
            if LAYER.match(self.text, self.at):
                above += self.take(LAYER).replace("−", "-")
            elif sign in RAISED:
                above += RAISED[sign]
                self.at += 1
            elif sign in LOWERED:
                below += LOWERED[sign]
                self.at += 1
            elif sign in "^_":
                self.at += 1
                script = self.atom()[1] if self.next() == "(" else _symbol(self.take(SCRIPT))
                above, below = (above + script, below) if sign == "^" else (above, below + script)
            else:
                break
        return (f"_{{{below}}}" if below else "") + (f"^{{{above}}}" if above else "")


def _symbol(token):
    """The TeX of one token."""
    if token in FUNCTIONS:
        return rf"\{token} " if token not in ("argmax", "sech") else rf"\operatorname{{{token}}} "
    if token in WORDS:
        return rf"\mathrm{{{token}}}"
    symbol = SYMBOLS.get(token, token)
    return symbol + " " if symbol[0] == "\\" and symbol[-1].isalpha() else symbol


# Between single backticks; anything but a plain name
FORMULA = re.compile(r"(?<![`:\w])`(?![A-Za-z0-9_.*…]+`)([^`]+)`(?!`)")


def typeset(lines):
    """The lines of a docstring, its formulas as roles and directives that hold TeX."""
    lines, made, k = list(lines), [], 0
    while k < len(lines):
        line = lines[k]
        made.append(line)
        k += 1
        if line.strip() != ".. math::":
            continue
        indent, block = len(line) - len(line.lstrip()), []
        while k < len(lines) and (not lines[k].strip() or len(lines[k]) - len(lines[k].lstrip()) > indent):
            block.append(lines[k].strip())
            k += 1
        equations = [equation for equation in block if equation]
        if not any("\\" in equation for equation in equations):
            rows = r" \\ ".join(RELATION.sub(r" &\1", tex(equation), count=1) for equation in equations)
            equations = [rf"\begin{{aligned}} {rows} \end{{aligned}}"]
        made += ["", *(" " * (indent + 4) + equation for equation in equations), ""]
    return FORMULA.sub(lambda match: f":math:`{tex(' '.join(match[1].split()))}`", "\n".join(made)).split("\n")
