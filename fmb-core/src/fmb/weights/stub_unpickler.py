"""Copies the state dict out of a torch checkpoint without running anything that is in it.

A program for an interpreter of its own: `python -I -S stub_unpickler.py CHECKPOINT OUT SECONDS`. It
needs neither torch nor any other package. What the pickle names becomes an inert stand-in; tensors
become places in the file, and their bytes are copied into the safetensors file OUT.

Exit codes: 0 done, `REFUSED` (one line on stdout says why), `FAILED` (likewise; not the file's
fault).

Source: the zip layout of `torch.save` since torch 1.6 and the safetensors format,
https://huggingface.co/docs/safetensors.
"""

import contextlib
import gc
import io
import json
import math
import mmap
import os
import pickle
import resource
import struct
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any, Literal

__all__ = ["main"]

REFUSED, FAILED = 3, 4

_MEMORY_BYTES = 1 << 30
"""Room for the pickle besides the mapped file."""
_GROWTH, _SLACK_BYTES = 4, 64 << 20
"""What is written may be larger than the file: tied weights are stored once and written twice."""

_DTYPES = {
    "float64": ("F64", 8), "float32": ("F32", 4), "float16": ("F16", 2), "bfloat16": ("BF16", 2),
    "float8_e4m3fn": ("F8_E4M3", 1), "float8_e5m2": ("F8_E5M2", 1), "bool": ("BOOL", 1),
    "int64": ("I64", 8), "int32": ("I32", 4), "int16": ("I16", 2), "int8": ("I8", 1),
    "uint64": ("U64", 8), "uint32": ("U32", 4), "uint16": ("U16", 2), "uint8": ("U8", 1),
}  # fmt: skip
"""Torch's dtype -> safetensors' name and bytes of an item."""
_STORAGES = {
    "DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16", "BoolStorage": "bool", "LongStorage": "int64",
    "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8", "ByteStorage": "uint8",
    "UntypedStorage": "uint8",
}  # fmt: skip


class Refused(Exception):
    """Why a file is not converted, for its user."""


class Fixed:
    """An object whose attributes no pickle can set."""

    def __setstate__(self, state: object) -> None: ...


class Stub(Fixed):
    """Stands for an object of any class the pickle names: takes everything, does nothing."""

    def __new__(cls, *arguments: object, **named: object) -> "Stub":
        """Another one, whatever it is asked to be made of."""
        return super().__new__(cls)

    def __init__(self, *arguments: object, **named: object) -> None: ...

    def _unmoved(self, *arguments: object) -> "Stub":
        """What a call, a new item or a new member comes to."""
        return self

    __call__ = __setitem__ = append = extend = add = _unmoved


class Ordered(Fixed, dict[Any, Any]):
    """Stands for `collections.OrderedDict`."""


class Dtype(str):
    """A dtype's name in torch, or that of the items of a storage class."""


class Storage(Fixed):
    """A record of the zip file that holds the items of tensors."""

    def __init__(self, record: memoryview, dtype: str) -> None:
        self.record, self.dtype = record, dtype


class Tensor(Fixed):
    """A tensor's place in a storage; checked to lie inside it."""

    def __init__(self, storage: Storage, dtype: str, offset: int, size: Any, stride: Any) -> None:
        numbers = (offset, *size, *stride)
        if not all(type(n) is int and n >= 0 for n in numbers) or len(size) != len(stride):
            raise Refused("it is damaged: a tensor has an impossible shape")
        self.name, self.item = _DTYPES[dtype]
        self.offset, self.size, self.stride = offset, tuple(size), tuple(stride)
        self.count = math.prod(self.size)
        last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
        if self.count and (last + 1) * self.item > len(storage.record):
            raise Refused("it is damaged: a tensor reaches beyond its storage")
        whole = storage.record[: len(storage.record) // self.item * self.item]
        formats: dict[int, Literal["B", "H", "I", "Q"]] = {1: "B", 2: "H", 4: "I", 8: "Q"}
        self.items = whole.cast(formats[self.item])

    def rows(self) -> Iterator[memoryview | bytes]:
        """The items in C order, in pieces that lie side by side in memory."""
        if not self.count:
            return
        # Trailing dimensions that are stored without gaps are one piece.
        inner, run = len(self.size), 1
        while inner and (self.size[inner - 1] == 1 or self.stride[inner - 1] == run):
            inner -= 1
            run *= self.size[inner]
        yield from self._pieces(self.offset, 0, inner, run)

    def _pieces(self, start: int, axis: int, inner: int, run: int) -> Iterator[memoryview | bytes]:
        if axis == inner:
            yield self.items[start : start + run].cast("B")
        elif axis == inner - 1 and run == 1 and self.stride[axis]:
            stop = start + (self.size[axis] - 1) * self.stride[axis] + 1
            yield self.items[start : stop : self.stride[axis]].tobytes()
        else:
            for i in range(self.size[axis]):
                yield from self._pieces(start + i * self.stride[axis], axis + 1, inner, run)


def rebuild_tensor(
    storage: object, offset: int, size: Any, stride: Any, *rest: object
) -> "Tensor | Stub":
    """Torch's `_rebuild_tensor_v2`, and `_v3` whose last argument is a dtype."""
    if not isinstance(storage, Storage) or type(size) is not tuple or type(stride) is not tuple:
        raise Refused("it is damaged: a tensor is made of something else than a storage")
    dtype = next((str(value) for value in rest if isinstance(value, Dtype)), storage.dtype)
    return Tensor(storage, dtype, offset, size, stride)


def rebuild_parameter(data: object, *rest: object) -> object:
    """Torch's `_rebuild_parameter`: the tensor itself."""
    return data


def rebuild_from_type(make: object, kind: object, arguments: Any, state: object) -> object:
    """Torch's `_rebuild_from_type_v2`, for tensors that carry attributes: without those."""
    if make not in (rebuild_tensor, rebuild_parameter) or type(arguments) is not tuple:
        return Stub()
    return make(*arguments)


_KNOWN: dict[tuple[str, str], Callable[..., Any] | Dtype] = {
    ("collections", "OrderedDict"): Ordered,
    ("torch._utils", "_rebuild_tensor"): rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v3"): rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): rebuild_parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): rebuild_parameter,
    ("torch._tensor", "_rebuild_from_type_v2"): rebuild_from_type,
    **{("torch", name): Dtype(name) for name in _DTYPES},
    **{("torch", name): Dtype(dtype) for name, dtype in _STORAGES.items()},
    ("torch.storage", "UntypedStorage"): Dtype("uint8"),
}


class Unpickler(pickle.Unpickler):
    """Reads a checkpoint's pickle; imports nothing and calls nothing but what is in `_KNOWN`."""

    def __init__(self, body: memoryview, records: Mapping[str, memoryview]) -> None:
        super().__init__(io.BytesIO(body))
        self._records = records

    def find_class(self, module: str, name: str) -> Any:
        """Our own stand-in for a tensor's parts, an inert one for everything else."""
        return _KNOWN.get((module, name), Stub)

    def persistent_load(self, pid: Any) -> Storage:
        """The storage that ("storage", class, record, device, length) names."""
        if type(pid) is not tuple or len(pid) != 5 or pid[0] != "storage":
            raise Refused("it is damaged: it refers to something that is no storage")
        dtype, record = pid[1], self._records.get(pid[2]) if type(pid[2]) is str else None
        if type(dtype) is not Dtype or record is None:
            raise Refused("it is damaged: it names a storage that is none or is not there")
        return Storage(record, str(dtype))


def state_dict(content: object) -> dict[str, Tensor]:
    """The tensors of a Lightning checkpoint, a DINO training dump or a plain state dict."""
    found = content if isinstance(content, dict) else {}
    nested = (found.get(key) for key in ("state_dict", "teacher", "model", "model_state_dict"))
    found = next((inner for inner in nested if isinstance(inner, dict)), found)
    tensors = {k: v for k, v in found.items() if type(k) is str and isinstance(v, Tensor)}
    if not tensors:
        raise Refused("it holds no state dict: expected 'state_dict', 'model' or bare tensors")
    return tensors


def records(
    archive: zipfile.ZipFile, mapped: memoryview
) -> tuple[memoryview, dict[str, memoryview]]:
    """The pickle and, by key, the storages of a checkpoint: views of the mapped file."""
    names = archive.namelist()
    pickles = [name for name in names if name.split("/")[1:] == ["data.pkl"]]
    if any(name.endswith("/constants.pkl") for name in names):
        raise Refused("it is a TorchScript program, not a checkpoint")
    if len(pickles) != 1 or len(set(names)) < len(names):
        raise Refused("it is a zip file, but not one that torch.save wrote")
    top = pickles[0].removesuffix("data.pkl")
    views = {}
    for entry in archive.infolist():
        stop = entry.header_offset + 30
        if entry.compress_type != zipfile.ZIP_STORED or stop > len(mapped):
            raise Refused("it is a zip file, but not one that torch.save wrote")
        # Lengths of name and extra field in the local header; the central one may differ.
        start = stop + sum(struct.unpack("<HH", mapped[stop - 4 : stop]))
        if start + entry.file_size > len(mapped):
            raise Refused("it is cut short")
        views[entry.filename] = mapped[start : start + entry.file_size]
    if bytes(views.get(f"{top}byteorder", b"little")) != b"little":
        raise Refused("its numbers are big-endian; save it again on another machine")
    place = f"{top}data/"
    storages = {n.removeprefix(place): v for n, v in views.items() if n.startswith(place)}
    return views[pickles[0]], storages


def write_safetensors(tensors: Mapping[str, Tensor], out: IO[bytes], most_bytes: int) -> None:
    """Write tensors one after the other, below a header that says where each is."""
    header: dict[str, Any] = {}
    end = 0
    for name, tensor in tensors.items():
        place = [end, end + tensor.count * tensor.item]
        header[name] = {"dtype": tensor.name, "shape": list(tensor.size), "data_offsets": place}
        end = place[1]
    if end > most_bytes:
        raise Refused("its tensors would be many times the size of the file")
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    out.write(struct.pack("<Q", len(text)) + text)
    for tensor in tensors.values():
        for piece in tensor.rows():
            out.write(piece)


def limit(kind: int, most: int) -> None:
    """Lower a limit of this process where the system has it; time gets a second to say so."""
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(kind, (most, most + (kind == resource.RLIMIT_CPU)))


def convert(checkpoint: IO[bytes], out: IO[bytes], seconds: int) -> None:
    """Copy the state dict of an open checkpoint, within limits that end with the process."""
    size = os.fstat(checkpoint.fileno()).st_size
    most_bytes = _GROWTH * size + _SLACK_BYTES
    limit(resource.RLIMIT_CPU, seconds)
    limit(resource.RLIMIT_AS, size + _MEMORY_BYTES)
    limit(resource.RLIMIT_FSIZE, most_bytes + _SLACK_BYTES)
    limit(resource.RLIMIT_CORE, 0)
    if not zipfile.is_zipfile(checkpoint):
        raise Refused(
            "not a zip file as torch.save writes it since torch 1.6, or not a whole one; one of an"
            " older format can be loaded and saved again, where you trust it, with weights_only"
        )
    archive = zipfile.ZipFile(checkpoint)
    mapped = memoryview(mmap.mmap(checkpoint.fileno(), 0, access=mmap.ACCESS_READ))
    body, storages = records(archive, mapped)
    # From here on nothing can be opened, connected or started; all that is needed is open.
    limit(resource.RLIMIT_NPROC, 0)
    limit(resource.RLIMIT_NOFILE, 0)
    gc.disable()  # it would walk millions of objects again and again, and finds no cycle
    content = Unpickler(body, storages).load()
    write_safetensors(state_dict(content), out, most_bytes)


def main(arguments: list[str]) -> int:
    """Run the program; one line on stdout says what went wrong."""
    checkpoint, tensors, seconds = arguments
    try:
        with open(checkpoint, "rb") as source, open(tensors, "xb") as out:
            convert(source, out, int(seconds))
    except Refused as error:
        print(error)
        return REFUSED
    except MemoryError:
        print("reading it takes more memory than a checkpoint of its size should")
        return REFUSED
    except OSError as error:
        print(error.strerror or error)
        return FAILED
    except Exception as error:  # a hostile or damaged pickle can raise anything
        print(f"its pickle is damaged ({type(error).__name__})")
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
