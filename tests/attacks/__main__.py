import argparse

from . import plain

parser = argparse.ArgumentParser(prog="python -m tests.attacks")
parser.add_argument("--plain", action="store_true")
parser.add_argument("--again", action="store_true")
parser.add_argument("--part", default="1/1")
parser.add_argument("slugs", nargs="*")
options = parser.parse_args()
if options.plain:
    plain.main(options.slugs, options.again, options.part)
