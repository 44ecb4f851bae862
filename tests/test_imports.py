"""What must stay quick: importing memfeat and asking it for help load none of the heavy libraries."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = [
    *("pandas", "pyarrow", "scipy", "sklearn", "skops", "joblib", "matplotlib", "dask", "distributed"),
    *("numba", "h5py", "av", "cv2", "skimage", "torch", "torchvision", "timm", "open_clip"),
]

IMPORTS = {
    "import memfeat": "import memfeat",
    "import memfeat.cli": "import memfeat.cli",
    "import memfeat.cli.main": "import memfeat.cli.main",
    "memfeat --help": """
import sys
from memfeat.cli.main import run
sys.argv = ["memfeat", "--help"]
try:
    run()
except SystemExit as end:
    assert not end.code, end.code
""",
    "memfeat extract --help": """
import sys
from memfeat.cli.main import run
sys.argv = ["memfeat", "extract", "--help"]
try:
    run()
except SystemExit as end:
    assert not end.code, end.code
""",
}


@pytest.mark.parametrize("what", IMPORTS)
def test_heavy_libraries_are_not_loaded_by(what: str, tmp_path: Path) -> None:
    report = f"\nimport json, sys\nprint('LOADED', json.dumps([n for n in {HEAVY!r} if n in sys.modules]))\n"
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS[what] + report],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stdout.rpartition("LOADED")[2])
    assert loaded == [], f"{what} loads {loaded}: import them inside the function that needs them"


def test_the_check_itself_notices_a_heavy_library() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import pandas, sys; print('pandas' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "True"
