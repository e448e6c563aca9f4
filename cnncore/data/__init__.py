"""Images: found, downloaded, decoded once, divided, and served as augmented and normalized batches."""

from cnncore.catalog import at_hand
from cnncore.data.augment import augment_batch
from cnncore.data.batches import Batch, Batches, BatchSource
from cnncore.data.images import Files, ImageData, Images, Progress, Split
from cnncore.data.opening import open_images
from cnncore.data.preview import Samples, preview, samples
from cnncore.images.preprocessing import fixed_statistics

__all__ = [
    "Batch",
    "Batches",
    "BatchSource",
    "Files",
    "ImageData",
    "Images",
    "Progress",
    "Samples",
    "Split",
    "at_hand",
    "augment_batch",
    "fixed_statistics",
    "open_images",
    "preview",
    "samples",
]
