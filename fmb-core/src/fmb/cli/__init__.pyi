from .app import main as main
from .options import (
    click_option as click_option,
    request_options as request_options,
    shown_options as shown_options,
)
from .survey_source import (
    open_source as open_source,
    reader_option as reader_option,
    set_option as set_option,
)
