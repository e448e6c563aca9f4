"""Says what is in images: `python classify.py IMAGE...`, after `pip install onnxruntime pillow numpy`."""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

folder = Path(__file__).resolve().parent
classes, how = (json.loads((folder / name).read_text("utf-8")) for name in ("classes.json", "preprocessing.json"))
size, resized, method = how["size"], round(how["size"] / how["crop"]), Image.Resampling[how["interpolation"].upper()]


def pixels(path: str) -> np.ndarray:
    """The middle square of an image, upright and on white, from 0 to 1: float32 (1, C, size, size)."""
    image = Image.open(path)
    image.draft(None, (2 * resized, 2 * resized))
    image = ImageOps.exif_transpose(image).convert("RGBA")
    image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    short = min(image.size)
    left, top = ((side - short) / 2 for side in image.size)
    if resized == size:
        image = image.resize((size, size), method, (left, top, left + short, top + short))
    else:
        image = image.resize([max(resized, int(resized * side / short)) for side in image.size], method)
        left, top = (round((side - size) / 2) for side in image.size)
        image = image.crop((left, top, left + size, top + size))
    values = np.asarray(image if how["channels"] == 3 else image.convert("L"), np.float32)
    return values.reshape(size, size, -1).transpose(2, 0, 1)[None] / 255


if __name__ == "__main__":
    network = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    for name in sys.argv[1:]:
        shares = np.asarray(network.run(["probabilities"], {"images": pixels(name)})[0])[0]
        print(name, *(f"{shares[index]:8.2%}  {classes[index]}" for index in np.argsort(-shares)[:5]), sep="\n")
