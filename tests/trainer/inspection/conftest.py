"""What the tests of inspections share: `import files`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
