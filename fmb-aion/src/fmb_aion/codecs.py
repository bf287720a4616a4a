"""Upstream's codecs without their decoders: calibrated pixels in, token numbers out."""

from collections.abc import Sequence

import torch
from aion.codecs.image import ImageCodec
from aion.codecs.preprocessing.band_to_index import BAND_CENTER_MAX
from aion.codecs.quantizers import FiniteScalarQuantizer, LucidrainsLFQ
from aion.codecs.spectrum import SpectrumCodec
from aion.modalities import Image, Spectrum
from torch import Tensor

from fmb_aion.recipes import ImageCodecSizes, SpectrumCodecSizes

__all__ = [
    "IMAGE_DECODER_SIDE",
    "SPECTRUM_DECODER_SIDE",
    "build_image_codec",
    "build_spectrum_codec",
    "image_tokens",
    "round_trip",
    "spectrum_tokens",
]

IMAGE_DECODER_SIDE = (
    "model.decoder_layers.",
    "model.conv_out.",
    "subsample_out.",
    "post_quant_proj.",
)
SPECTRUM_DECODER_SIDE = ("decoder.", "post_quant_conv.")
"""Beginnings of the names of tensors that only decoding needs."""

_LARGEST = 40.0
"""Of a stretched flux, asinh(flux / 0.01 nmgy); its square as a flux is still a float32."""


def build_image_codec(sizes: ImageCodecSizes, *, decoder: bool = False) -> ImageCodec:
    """A codec whose `encode` works, with upstream's initialisation; see `build_encoder`.

    With `decoder`, `round_trip` works too; the encoder's half is drawn the same.
    """
    arguments = sizes.model_dump() | {"quantizer_levels": list(sizes.quantizer_levels)}
    codec = ImageCodec(**arguments)
    if decoder:
        # Decoding asks 0.0.2 for a method it lacks: the factor that encoding divides by, 63.0957.
        codec.rescaler._reverse_zeropoint = codec.rescaler.convert_zeropoint
        codec.clamp = _clamped
        _bound_expansion(codec)
    else:
        del codec.model.decoder_layers, codec.model.conv_out
        del codec.subsample_out, codec.post_quant_proj, codec.decoder
    with torch.device("cpu"):  # has values that no file holds
        codec._quantizer = FiniteScalarQuantizer(arguments["quantizer_levels"])
    return codec.eval()


def build_spectrum_codec(sizes: SpectrumCodecSizes) -> SpectrumCodec:
    """A codec whose `encode` works, with upstream's initialisation; see `build_encoder`."""
    # The smallest decoder that can be built; it is thrown away.
    codec = SpectrumCodec(**sizes.model_dump(), decoder_depths=(0,), decoder_dims=(1,))
    del codec.decoder, codec.post_quant_conv
    with torch.device("cpu"):  # has values that no file holds
        codec._quantizer = LucidrainsLFQ(dim=sizes.dim, codebook_size=sizes.codebook_size)
    return codec.eval()


def image_tokens(codec: ImageCodec, flux: Tensor, bands: Sequence[str]) -> Tensor:
    """(n, 576) token numbers of (n, bands, 96, 96) flux in the unit of its survey."""
    # The codec scales and clamps the tensor it is given.
    tokens: Tensor = codec.encode(Image(flux=flux.clone(), bands=list(bands)))
    return tokens


def round_trip(codec: ImageCodec, flux: Tensor, bands: Sequence[str]) -> Tensor:
    """What is left of (n, bands, 96, 96) flux after encoding, rounding to codes and decoding.

    Gradients pass the rounding as if it were not there (straight through).
    """
    latent = codec._encode(Image(flux=flux, bands=list(bands)))
    decoded: Tensor = codec._decode(codec.quantizer.quantize(latent), bands=list(bands)).flux
    return decoded


def _clamped(flux: Tensor, bands: Sequence[str]) -> Tensor:
    """The codec's clamps, not in place: upstream's write over what the gradient needs."""
    most = flux.new_tensor([BAND_CENTER_MAX[band] for band in bands])[:, None, None]
    return flux.clamp(-most, most)


def _bound_expansion(codec: ImageCodec) -> None:
    """Keep what a poor decoder gives within float32: its fluxes are the sinh of its numbers.

    The bound is five times the stretched flux of the encoder's highest clamp.
    """
    expand = codec._reverse_range_compress
    most = _LARGEST * codec.range_compression_factor * codec.mult_factor
    codec._reverse_range_compress = lambda x: expand(x.clamp(-most, most))


def spectrum_tokens(
    codec: SpectrumCodec, flux: Tensor, ivar: Tensor, mask: Tensor, wavelength: Tensor
) -> Tensor:
    """(n, 273) token numbers of spectra (n, pixels); see `PreparedSpectra`.

    Each spectrum is cut where it ends: the codec takes the last pixel for the end of the range.
    """
    lengths = (wavelength > 0).sum(1)
    tokens = torch.empty(len(flux), 0)
    for length in sorted(set(lengths.tolist())):
        rows = lengths == length
        cut = {"flux": flux, "ivar": ivar, "mask": mask, "wavelength": wavelength}
        part: Tensor = codec.encode(Spectrum(**{k: v[rows, :length] for k, v in cut.items()}))
        if not tokens.numel():
            tokens = part.new_empty(len(flux), part.shape[1])
        tokens[rows] = part
    return tokens
