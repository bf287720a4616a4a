from .app import main as main
from .options import (
    click_option as click_option,
    request_options as request_options,
    shown_options as shown_options,
)
