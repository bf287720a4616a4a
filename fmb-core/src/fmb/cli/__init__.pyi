from .app import main as main
from .options import (
    click_option as click_option,
    request_options as request_options,
    shown_options as shown_options,
)
from .terminal import (
    echo_json as echo_json,
    print_table as print_table,
    progress_line as progress_line,
    say as say,
    stage as stage,
    table_text as table_text,
)
