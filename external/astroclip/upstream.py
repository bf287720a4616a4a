"""Upstream's own classes from a checkout, without the packages that they only import."""

import importlib
import inspect
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["Upstream", "load_upstream"]


class _LightningModule(nn.Module):
    """What upstream uses of lightning's: a module that remembers its constructor's arguments."""

    def save_hyperparameters(self) -> None:
        frame = inspect.currentframe()
        assert frame is not None
        assert frame.f_back is not None
        values = {k: v for k, v in frame.f_back.f_locals.items() if k not in ("self", "__class__")}
        self.hparams = SimpleNamespace(**values)


class _CenterCrop:
    """torchvision's, for sizes that leave an even rest."""

    def __init__(self, side: int) -> None:
        self._side = side

    def __call__(self, x: Tensor) -> Tensor:
        top, left = ((extent - self._side) // 2 for extent in x.shape[-2:])
        return x[..., top : top + self._side, left : left + self._side]


class _Anything(ModuleType):
    """A module of which every attribute is there and is an empty class."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def _stand_in(name: str, **known: Any) -> None:
    module = _Anything(name)
    module.__path__ = []
    vars(module).update(known)
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)


def _package(name: str, folder: Path) -> None:
    """A package whose modules are found, and whose __init__ is not run: it imports everything."""
    module = ModuleType(name)
    module.__path__ = [str(folder)]
    sys.modules[name] = module


@dataclass(frozen=True)
class Upstream:
    """Upstream's model and its preparation of images."""

    models: ModuleType
    specformer: ModuleType
    vision: ModuleType
    collator: Any

    def build(self, sizes: Mapping[str, int], folder: Path) -> Any:
        """`AstroClipModel` of these sizes, in evaluation mode; `folder` takes a file on the way."""
        vit = self.vision.DinoVisionTransformer(
            img_size=144,
            patch_size=12,
            embed_dim=sizes["image_width"],
            depth=sizes["image_depth"],
            num_heads=sizes["image_heads"],
            init_values=1e-5,
            qkv_bias=True,
            block_chunks=sizes["chunks"],
        )
        self.models.setup_and_build_model = lambda config: (vit, None)
        former = {
            "input_dim": 22,
            "embed_dim": sizes["spectrum_width"],
            "num_layers": sizes["spectrum_depth"],
            "num_heads": sizes["spectrum_heads"],
            "max_len": 800,
            "dropout": 0.0,
        }
        state = self.specformer.SpecFormer(**former).state_dict()
        path = folder / "specformer.ckpt"
        torch.save({"hyper_parameters": former, "state_dict": state}, path)
        head = {"embed_dim": sizes["embed"], "n_head": sizes["cross_heads"]}
        image = self.models.ImageHead(
            config="", model_weights="", save_directory="",
            model_embed_dim=sizes["image_width"], **head,
        )  # fmt: skip
        spectrum = self.models.SpectrumHead(
            model_path=str(path), model_embed_dim=sizes["spectrum_width"], **head
        )
        return self.models.AstroClipModel(image, spectrum).eval()

    def collate(self, flux: np.ndarray) -> Tensor:
        """(n, 3, 144, 144): upstream's pictures of (n, 3, h, w) nanomaggies in g, r, z."""
        samples = [{"image": torch.from_numpy(image.transpose(1, 2, 0))} for image in flux]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numpy's, on torch tensors in its functions
            pictures: Tensor = self.collator(samples)["image"]
        return pictures


def load_upstream(checkout: Path) -> Upstream:
    """Upstream's classes from `checkout`/AstroCLIP and `checkout`/dinov2.

    Raises:
        SystemExit: one of the two is not there.
    """
    astroclip, dinov2 = checkout / "AstroCLIP" / "astroclip", checkout / "dinov2" / "dinov2"
    for folder in (astroclip, dinov2):
        if not folder.is_dir():
            raise SystemExit(f"{folder} is not there: clone both repositories into {checkout}")
    for name, folder in (
        ("dinov2", dinov2),
        ("astroclip", astroclip),
        ("astroclip.models", astroclip / "models"),
        ("astroclip.data", astroclip / "data"),
        ("astroclip.astrodino", astroclip / "astrodino"),
        ("astroclip.astrodino.data", astroclip / "astrodino" / "data"),
    ):
        _package(name, folder)
    for name in ("datasets", "skimage", "skimage.filters", "skimage.transform", "torchvision"):
        _stand_in(name)
    _stand_in("torchvision.transforms", CenterCrop=_CenterCrop)
    _stand_in("lightning", LightningModule=_LightningModule)
    _stand_in("dinov2.eval")
    _stand_in("dinov2.eval.setup", setup_and_build_model=None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # dinov2 says that xFormers is not there
        vision = importlib.import_module("dinov2.models.vision_transformer")
    return Upstream(
        models=importlib.import_module("astroclip.models.astroclip"),
        specformer=importlib.import_module("astroclip.models.specformer"),
        vision=vision,
        collator=importlib.import_module("astroclip.data.datamodule").AstroClipCollator(),
    )
