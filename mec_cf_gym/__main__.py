"""``python -m mec_cf_gym`` is ``mec-cf-gym``."""

import sys

from mec_cf_gym.cli import main

if __name__ == "__main__":
    sys.exit(main())
