"""`python -m tests.attacks`: see the package's own text."""

import argparse
import tempfile

from . import __doc__ as text
from . import all_attacks, plain, table


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m tests.attacks", description=text.splitlines()[0])
    parser.add_argument("--plain", action="store_true", help="grade by plain nbgrader what is not stored yet")
    parser.add_argument("--again", action="store_true", help="… and what is stored, too")
    parser.add_argument("--part", default="1/1", help='"1/2" is the first half, for two at a time')
    parser.add_argument("slugs", nargs="*", help="only these")
    options = parser.parse_args(argv)
    if options.plain:
        plain.main(options.slugs, options.again, options.part)
        return
    from .ours import Range

    graded = {}
    with tempfile.TemporaryDirectory() as folder:
        scene = Range(folder)
        try:
            for attack in all_attacks():
                if options.slugs and attack.slug not in options.slugs:
                    continue
                outcome = scene.attacked_by(attack)
                effects = "; ".join(outcome.effects)
                graded[attack.slug] = table.Ours(outcome.score, outcome.seconds, effects)
                print(f"{attack.slug:<24} {outcome.score:g} of {attack.score:g}  {outcome.seconds:.1f} s  {effects}")
                if options.slugs:
                    print(outcome.said)
        finally:
            scene.close()
    if not options.slugs:
        page = table.written(graded)
        table.RESULTS.write_text(page, encoding="utf-8")
        print(page)


if __name__ == "__main__":
    main()
