"""Writes the files of this folder, as NumPy, pandas and pyarrow write them: python make.py"""
import io
import json
import struct
import zlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

random = np.random.default_rng(0)


def png(pixels):
    """A gray PNG of bytes [height, width]."""
    height, width = pixels.shape
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + bytes(row) for row in pixels)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


# Keras's layout of a data set, images with their channels last.
x = (np.arange(12 * 6 * 5 * 3) % 256).astype(np.uint8).reshape(12, 6, 5, 3)
y = np.array([0, 1, 2] * 4, dtype=np.int64).reshape(12, 1)
np.savez_compressed("keras.npz", x_train=x[:9], y_train=y[:9], x_test=x[9:], y_test=y[9:])
np.savez("medmnist.npz", train_images=x[:6], train_labels=y[:6], val_images=x[6:9], val_labels=y[6:9], test_images=x[9:], test_labels=y[9:])
np.savez("unclear.npz", a=x, b=y, c=y)
np.savez("ambiguous.npz", x=np.zeros((4, 3, 8, 3), np.uint8), y=np.array([0, 1, 0, 1]))
np.savez("onehot.npz", x=random.normal(size=(6, 2)).astype(np.float32), y=np.eye(3, dtype=np.float32)[[0, 1, 2, 2, 1, 0]])
np.savez("fortran.npz", x=np.asfortranarray(np.arange(24, dtype=np.float16).reshape(4, 2, 3)), y=np.array(["cat", "dog", "cat", "emu"]))
np.savez("bytes.npz", x=np.asfortranarray(np.arange(8, dtype=np.uint8).reshape(4, 2)), y=np.array([b"no", b"yes", b"no", b"yes"]))
np.savez("objects.npz", x=np.zeros((2, 2)), y=np.array(["a", None], dtype=object))

frame = pd.DataFrame({"length": [1.5, 2.25, np.nan, 4.0] * 5, "color": ["red", "blue", "red", "green"] * 5, "count": list(range(20)), "kind": ["rose", "iris"] * 10})
for codec in ["snappy", "gzip", "zstd", "brotli", "none"]:
    frame.to_parquet(f"flowers-{codec}.parquet", compression=codec, index=False)
pq.write_table(pa.table({"x": [[1, 2], [3, 4]], "y": [0, 1]}), "nested.parquet")

# As the Hugging Face hub keeps images: encoded, with the classes' names in the metadata.
for split, count in [("train", 8), ("test", 4)]:
    images = [{"bytes": png(np.full((3, 4), 20 * i, np.uint8)), "path": None} for i in range(count)]
    features = {"image": {"_type": "Image"}, "label": {"names": ["night", "day"], "_type": "ClassLabel"}}
    table = pa.table({"image": images, "label": pa.array([i % 2 for i in range(count)], pa.int64())})
    table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(table, f"images-{split}.parquet", row_group_size=3)
pq.write_table(pa.table({"text": ["Grüße, ", "to be or not to be"] * 10}), "text.parquet", compression="zstd")
