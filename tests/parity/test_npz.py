"""Arrays that a page writes are what NumPy reads."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np

MODULE = Path(__file__).parents[2] / "snnlab" / "widgets" / "js" / "src" / "view" / "along" / "npz.js"
WRITE = """
import { writeFileSync } from "node:fs";
import { npy, npz } from "%s";
writeFileSync(process.argv[1], npz({
  image: npy(Float32Array.of(0, 0.25, 0.5, 1), [1, 2, 2]),
  row: npy(Uint8Array.of(1, 2, 255)),
  part: npy(new Float64Array([9, 1, 2, 9]).subarray(1, 3)),
  label: npy(Int32Array.of(-1), []),
  settings: npy("ε = 0.15 · 𝛽"),
}));
"""


def test_numpy_reads_the_arrays_of_a_page_without_pickles(tmp_path: Path) -> None:
    node, file = shutil.which("node"), tmp_path / "a.npz"
    assert node
    subprocess.run([node, "--input-type=module", "-e", WRITE % MODULE.as_uri(), str(file)], check=True)
    assert zipfile.ZipFile(file).testzip() is None
    arrays = np.load(file, allow_pickle=False)
    read = {name: (arrays[name].dtype.str, arrays[name].tolist()) for name in arrays.files}
    assert read == {
        "image": ("<f4", [[[0, 0.25], [0.5, 1]]]),
        "row": ("|u1", [1, 2, 255]),
        "part": ("<f8", [1, 2]),
        "label": ("<i4", -1),
        "settings": ("<U12", "ε = 0.15 · 𝛽"),
    }
