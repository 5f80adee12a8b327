"""`python -m autograder.build`."""

import sys

from .command import main

sys.exit(main())
