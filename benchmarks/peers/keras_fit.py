"""Keras on TensorFlow: `Model.fit` on arrays in memory, mixed_bfloat16, with and without XLA (`--jit`).

The first convolution takes uint8 images through a Rescaling layer; resnet20 crops and flips inside a tf.data pipeline
(`--augment pipeline`) or with Keras's layers (`--augment layers`).
"""

# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import sys
from pathlib import Path

import numpy as np

from benchmarks.peers.clock import BATCH_SIZE, Stopwatch, read_request
from cnncore.array_pickle import load_arrays
from cnncore.catalog import DATASETS

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import tensorflow as tf
from keras import layers


def read_mnist(data: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images (60000, 28, 28, 1) uint8 and labels (60000,) int32."""
    raw = data / "MNIST" / "raw"
    images = np.frombuffer(_unpacked(raw / "train-images-idx3-ubyte"), np.uint8, offset=16)
    labels = np.frombuffer(_unpacked(raw / "train-labels-idx1-ubyte"), np.uint8, offset=8)
    return images.reshape(-1, 28, 28, 1), labels.astype(np.int32)


def _unpacked(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else gzip.decompress(path.with_name(f"{path.name}.gz").read_bytes())


def read_cifar(data: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images (50000, 32, 32, 3) uint8 and labels (50000,) int32."""
    folder = data / "cifar-10-batches-py"
    parts = [_official_batch(folder / f"data_batch_{number}") for number in range(1, 6)]
    images = np.concatenate([part[b"data"] for part in parts]).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), np.concatenate([part[b"labels"] for part in parts]).astype(np.int32)


def _official_batch(path: Path) -> dict[bytes, np.ndarray]:
    """A batch as its authors published it; nothing else is opened, and of it only arrays and plain values."""
    content = path.read_bytes()
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != DATASETS["cifar10"].members[path.name]:
        sys.exit(f"{path} is not the published file.")
    return load_arrays(content)


def lenet_tutorial() -> list[layers.Layer]:
    return [
        layers.Conv2D(20, 5, activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(50, 5, activation="relu"), layers.MaxPooling2D(),
        layers.Flatten(), layers.Dense(500, activation="relu"), layers.Dense(10),
    ]  # fmt: skip


def cnn3() -> list[layers.Layer]:
    return [
        layers.Conv2D(16, 5, activation="relu"),
        layers.Conv2D(32, 5, activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(64, 5, activation="relu"), layers.MaxPooling2D(),
        layers.Flatten(), layers.Dense(100, activation="relu"), layers.Dense(10),
    ]  # fmt: skip


def resnet20(x: keras.KerasTensor) -> keras.KerasTensor:
    def convolution(x: keras.KerasTensor, channels: int, stride: int = 1) -> keras.KerasTensor:
        # Padding by hand for stride 2: "same" would pad unevenly, unlike the paper's and torch's form.
        x = layers.ZeroPadding2D(1)(x) if stride > 1 else x
        x = layers.Conv2D(channels, 3, stride, "valid" if stride > 1 else "same", use_bias=False)(x)
        return layers.BatchNormalization()(x)

    x = layers.ReLU()(convolution(x, 16))
    for channels, first_stride in ((16, 1), (32, 2), (64, 2)):
        for stride in (first_stride, 1, 1):
            y = layers.ReLU()(convolution(x, channels, stride))
            y = convolution(y, channels)
            if stride > 1:
                pad = (channels - x.shape[-1]) // 2
                x = keras.ops.pad(x[:, ::2, ::2, :], [(0, 0), (0, 0), (0, 0), (pad, pad)])
            x = layers.ReLU()(layers.Add()([x, y]))
    return layers.Dense(10)(layers.GlobalAveragePooling2D()(x))


def build(model: str, *, augment_layers: bool) -> keras.Model:
    inputs = keras.Input((32, 32, 3) if model == "resnet20" else (28, 28, 1), dtype="uint8")
    x = layers.Rescaling(1 / 255)(inputs)
    if model == "resnet20":
        if augment_layers:
            x = layers.RandomFlip("horizontal")(layers.RandomCrop(32, 32)(layers.ZeroPadding2D(4)(x)))
        outputs = resnet20(x)
    else:
        for layer in {"lenet_tutorial": lenet_tutorial, "cnn3": cnn3}[model]():
            x = layer(x)
        outputs = x
    return keras.Model(inputs, layers.Activation("linear", dtype="float32")(outputs))


def augmented(images: np.ndarray, labels: np.ndarray) -> tf.data.Dataset:
    """Shuffled batches, each image padded by four pixels, cropped at its own place and flipped at random."""

    def crop(batch: tf.Tensor, target: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        batch = tf.pad(batch, [[0, 0], [4, 4], [4, 4], [0, 0]])
        top = tf.random.uniform((BATCH_SIZE, 1), 0, 9, tf.int32) + tf.range(32)
        left = tf.random.uniform((BATCH_SIZE, 1), 0, 9, tf.int32) + tf.range(32)
        batch = tf.gather(tf.gather(batch, top, batch_dims=1), left, axis=2, batch_dims=1)
        return tf.where(tf.random.uniform((BATCH_SIZE, 1, 1, 1)) < 0.5, batch, tf.reverse(batch, [2])), target

    source = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(len(images))
    return source.batch(BATCH_SIZE, drop_remainder=True).map(crop, tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


class Ticker(keras.callbacks.Callback):
    async_safe = True  # lets Keras go on with the next step before the logs of this one are fetched

    def __init__(self, stopwatch: Stopwatch):
        super().__init__()
        self._stopwatch = stopwatch

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._stopwatch.tick()
        if self._stopwatch.finished:
            self.model.stop_training = True


def options() -> argparse.Namespace:
    """Takes this peer's own options out of the command line."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--jit", action="store_true")
    parser.add_argument("--augment", choices=("pipeline", "layers"), default="pipeline")
    own, sys.argv[1:] = parser.parse_known_args()
    return own


def main() -> None:
    own = options()
    request = read_request(__doc__)
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    images, labels = (read_cifar if request.model == "resnet20" else read_mnist)(request.data)
    network = build(request.model, augment_layers=own.augment == "layers")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, jit_compile=own.jit)
    ticker = Ticker(Stopwatch("keras-xla" if own.jit else "keras", request))
    if request.model == "resnet20" and own.augment == "pipeline":
        network.fit(augmented(images, labels), epochs=1000, verbose=0, callbacks=[ticker])
    else:
        network.fit(images, labels, BATCH_SIZE, epochs=1000, verbose=0, callbacks=[ticker])


if __name__ == "__main__":
    main()
