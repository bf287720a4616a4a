"""Plugins that are broken in every way, and what is said of each."""

import pytest


def declares(*records: dict, hook: str = "fmb_register_detectors") -> str:
    """Code of a hook that yields detectors; each record says what differs from a sound one."""
    lines = ["@hookimpl", f"def {hook}():"]
    for record in records:
        sound = {"name": "first", "summary": "Sound", "target": "a:B", "config": "fmb:Config"}
        listed = ", ".join(f"{key}={value!r}" for key, value in {**sound, **record}.items())
        lines.append(f"    yield DetectorSpec({listed})")
    return "\n".join(lines) + "\n"


# Kind -> (code of the plugin, stage, what the message must say of the cause).
BROKEN = {
    "import error": (
        "from fmb import NoSuchThing\n",
        "import",
        "ImportError: cannot import name 'NoSuchThing'",
    ),
    "missing dependency": (
        "import a_package_nobody_has\n",
        "import",
        "ModuleNotFoundError: No module named 'a_package_nobody_has'",
    ),
    "wrong API version": (
        "FMB_API = 99\n",
        "FMB_API",
        "it was written for FMB_API 99, this fmb-core has 1",
    ),
    "misspelt hook": (
        declares({}, hook="fmb_register_detector"),
        "hooks",
        "unknown hook 'fmb_register_detector'; did you mean 'fmb_register_detectors'?",
    ),
    "unknown hook argument": (
        declares({}).replace("()", "(registry)"),
        "register",
        "Argument(s) {'registry'} are declared in the hookimpl",
    ),
    "raising midway": (
        declares({}) + "    raise RuntimeError('two lines\\nof text')\n",
        "declare",
        "RuntimeError: two lines of text",
    ),
    "wrong record type": (
        declares({}, hook="fmb_register_embedders"),
        "declare",
        "fmb_register_embedders: it yields DetectorSpec, expected EmbedderSpec",
    ),
    "SystemExit at import": (
        "raise SystemExit('no licence key')\n",
        "import",
        "SystemExit: no licence key",
    ),
}
# What else a plugin can do wrong.
ALSO_BROKEN = {
    "missing module of a component": (
        declares({"requires": ("a_package_nobody_has",)}),
        "requires",
        "detector 'first' needs the module a_package_nobody_has, not installed here",
    ),
    "no API version": ("del FMB_API\n", "FMB_API", "it sets no FMB_API"),
    "API version as text": ("FMB_API = '1'\n", "FMB_API", "it was written for FMB_API '1'"),
    "hook without its mark": (
        declares({}).removeprefix("@hookimpl\n"),
        "hooks",
        "'fmb_register_detectors' is not marked with @hookimpl",
    ),
    "hook that returns nothing": (
        "@hookimpl\ndef fmb_register_detectors():\n    pass\n",
        "declare",
        "TypeError: 'NoneType' object is not iterable",
    ),
    "SystemExit in a hook": (
        "@hookimpl\ndef fmb_register_detectors():\n    raise SystemExit(3)\n",
        "declare",
        "SystemExit: 3",
    ),
    "error without a text": (
        "class Mute(Exception):\n    def __str__(self):\n        raise ValueError\nraise Mute\n",
        "import",
        "Mute",
    ),
    "attribute that exits": (
        "del FMB_API\ndef __getattr__(name):\n    raise SystemExit(name)\n",
        "FMB_API",
        "SystemExit: FMB_API",
    ),
    "name in capitals": (
        declares({"name": "First"}),
        "declare",
        "'First' is not a name: lower case, digits and hyphens",
    ),
    "name that is no text": (
        declares({"name": None}),
        "declare",
        "name of None is None, expected text",
    ),
    "text in place of a tuple": (
        declares({"requires": "torch"}),
        "declare",
        "requires of 'first' is 'torch', expected a tuple",
    ),
    "numbers in a tuple of texts": (
        declares({"aliases": (1,)}),
        "declare",
        "aliases of 'first' is (1,), expected a tuple of text",
    ),
    "dotted requirement": (
        declares({"requires": ("nobody.has",)}),
        "declare",
        "'first' requires 'nobody.has', expected a top-level module",
    ),
    "target without a class": (
        declares({"target": "a"}),
        "declare",
        "target of 'first' is 'a', expected \"module:Class\"",
    ),
    "summary of a page": (
        declares({"summary": "Sound " * 20}),
        "declare",
        "summary of 'first' is not one line of 1 to 60 characters",
    ),
    "one name twice": (
        declares({}, {"name": "second", "aliases": ("first",)}),
        "declare",
        "fmb_register_detectors: 'first' is declared twice",
    ),
}


def cases(table):
    return pytest.mark.parametrize(("body", "stage", "cause"), table.values(), ids=table.keys())
