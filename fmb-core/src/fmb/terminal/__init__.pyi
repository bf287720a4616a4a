from .figure_style import own_style as own_style
from .png import png_bytes as png_bytes
from .printing import (
    echo_folded as echo_folded,
    echo_json as echo_json,
    print_table as print_table,
    progress_line as progress_line,
    say as say,
)
from .progress import stage as stage
from .tables import table_text as table_text
from .values import counted as counted
