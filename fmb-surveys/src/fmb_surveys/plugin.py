"""Declares the simulated surveys, the reader of HDF5 files and the commands on files."""

from collections.abc import Iterator

from fmb import CommandSpec, DatasetSpec, hookimpl

FMB_API = 1


@hookimpl
def fmb_register_datasets() -> Iterator[DatasetSpec]:
    """The simulated surveys and the HDF5 reader."""
    yield DatasetSpec(
        name="demo",
        summary="Simulated galaxies with planted anomalies, for looking",
        target="fmb_surveys.demo:open_demo",
        config="fmb_surveys.demo:DemoConfig",
        default=True,
        simulated=True,
    )
    yield DatasetSpec(
        name="demo-eval",
        summary="Simulated hosts and their changed copies, for numbers",
        target="fmb_surveys.demo:open_demo",
        config="fmb_surveys.demo:DemoEvalConfig",
        simulated=True,
    )
    yield DatasetSpec(
        name="hdf5",
        summary="Files described by a survey.toml",
        target="fmb_surveys.files.reader:open_survey_file",
        config="fmb_surveys.files.reader:FilesConfig",
        suffixes=(".toml",),
        markers=("survey.toml",),
        sniff="fmb_surveys.files.survey_toml:is_survey",
    )
    yield DatasetSpec(
        name="jpeg-png",
        summary="A folder of JPEG or PNG pictures, one an object",
        target="fmb_surveys.trees.pictures:open_pictures",
        config="fmb_surveys.trees.pictures:PicturesConfig",
        markers=("*.jpg", "*.jpeg", "*.png"),
        sniff="fmb_surveys.trees.pictures:is_pictures",
        requires=("PIL",),
        extra="pictures",
    )
    yield DatasetSpec(
        name="mmu-hdf5",
        summary="HDF5 trees of the Multimodal Universe",
        target="fmb_surveys.trees.mmu:open_mmu",
        config="fmb_surveys.trees.mmu:MMUConfig",
        markers=("healpix=*/*.hdf5", "*/healpix=*/*.hdf5"),
    )
    yield DatasetSpec(
        name="sdss",
        summary="SDSS spectra as shipped: spec-PLATE-MJD-FIBER.fits",
        target="fmb_surveys.trees.sdss:open_sdss",
        config="fmb_surveys.trees.sdss:SdssConfig",
        suffixes=(".fits", ".fits.gz"),
        markers=("spec-*.fits*", "*/spec-*.fits*"),
        sniff="fmb_surveys.trees.sdss:is_sdss",
    )
    yield DatasetSpec(
        name="desi",
        summary="DESI spectra as shipped: coadd-*.fits with redrock-*.fits",
        target="fmb_surveys.trees.desi:open_desi",
        config="fmb_surveys.trees.desi:DesiConfig",
        suffixes=(".fits", ".fits.gz"),
        markers=("coadd-*.fits*", "*/coadd-*.fits*"),
        sniff="fmb_surveys.trees.desi:is_desi",
    )
    yield DatasetSpec(
        name="deep2",
        summary="DEEP2 as shipped: spec1d.*.fits with HST cutouts",
        target="fmb_surveys.trees.deep2:open_deep2",
        config="fmb_surveys.trees.deep2:Deep2Config",
        suffixes=(".fits", ".fits.gz"),
        markers=("spec1d.*.fits*", "*/spec1d.*.fits*"),
        sniff="fmb_surveys.trees.deep2:is_deep2",
    )
    yield DatasetSpec(
        name="fits-images",
        summary="A folder of FITS images: one file an object, or a band",
        target="fmb_surveys.trees.cutouts:open_cutouts",
        config="fmb_surveys.trees.cutouts:CutoutsConfig",
        suffixes=(".fits", ".fit", ".fits.gz", ".fz"),
        markers=tuple(
            f"{place}*{end}" for place in ("", "*/") for end in (".fits", ".fit", ".fits.gz", ".fz")
        ),
        sniff="fmb_surveys.trees.cutouts:is_cutouts",
    )
    yield DatasetSpec(
        name="parquet-files",
        summary="Parquet files with nested columns of spectra or images",
        target="fmb_surveys.trees.parquet:open_parquet",
        config="fmb_surveys.files.described:TreeConfig",
        suffixes=(".parquet",),
        markers=("*.parquet", "*/*.parquet"),
        sniff="fmb_surveys.trees.parquet:is_parquet",
    )
    yield DatasetSpec(
        name="hats",
        summary="HATS catalogues and collections",
        target="fmb_surveys.trees.hats:open_hats",
        config="fmb_surveys.files.described:TreeConfig",
        markers=("hats.properties", "collection.properties", "dataset/Norder=*"),
        sniff="fmb_surveys.trees.hats:is_hats",
    )
    yield DatasetSpec(
        name="remote-files",
        summary="HATS catalogues and Parquet files behind URLs",
        target="fmb_surveys.trees.remote:open_remote",
        config="fmb_surveys.files.described:TreeConfig",
        schemes=("hf", "s3", "http", "https", "gs", "abfs"),
    )
    yield DatasetSpec(
        name="hf-dataset",
        summary="Folders saved by Hugging Face datasets",
        target="fmb_surveys.trees.arrow:open_arrow",
        config="fmb_surveys.files.described:TreeConfig",
        suffixes=(".arrow",),
        markers=("dataset_dict.json", "state.json"),
    )
    yield DatasetSpec(
        name="joined-surveys",
        summary="Several surveys as one, by id or by position",
        target="fmb_surveys.joined.opening:open_joined",
        config="fmb_surveys.joined.opening:JoinedConfig",
        suffixes=(".toml",),
        markers=("survey.toml",),
        sniff="fmb_surveys.files.survey_toml:names_surveys",
    )


@hookimpl
def fmb_register_commands() -> Iterator[CommandSpec]:
    """What makes a survey of files, and files of lists."""
    yield CommandSpec(
        name="index",
        group="data",
        summary="Write a survey.toml for a catalogue and its files.",
        target="fmb_surveys.index_command:command",
    )
    yield CommandSpec(
        name="join",
        group="data",
        summary="Write a survey.toml that joins surveys by position or by id.",
        target="fmb_surveys.joined.command:command",
    )
    yield CommandSpec(
        name="subset",
        group="data",
        summary="Copy some objects of a survey into a folder.",
        target="fmb_surveys.subset_command:command",
    )
    yield CommandSpec(
        name="pack",
        group="data",
        summary="Write a survey of many small files into a few large ones.",
        target="fmb_surveys.pack.command:command",
    )
    yield CommandSpec(
        name="export",
        summary="Write lists into a FITS, VOTable, Parquet or text file.",
        target="fmb_surveys.export.command:command",
    )
    yield CommandSpec(
        name="samp",
        summary="Show a list in TOPCAT or Aladin, and label there.",
        target="fmb_surveys.samp.command:command",
    )
    yield CommandSpec(
        name="inject",
        summary="Write a survey with anomalies in copies of its objects.",
        target="fmb_surveys.inject.command:command",
    )
